import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { ContainerSandbox, engineName, isOwnEngine, noContainers } from '../lib/containers.ts'
import { configuration, containerOf, textOf } from '../lib/containers-project.ts'
import { until } from '../lib/running.ts'
import { onEngine } from './container-suite.ts'

onEngine('what an image says holds where the service says nothing else', async (t, sandbox) => {
  const folder = sandbox.project('plain', {
    'locald.toml': configuration('plain', {
      entry: { image: await sandbox.image('entry'), container_port: 8080, env: { OWN: 'of the service' } },
    }),
  })
  const events = await sandbox.up(folder, [], { env: { FROM_SHELL: 'secret of the shell' } })
  t.match(events.at(-1), { event: 'done', ok: true })
  const view = await sandbox.service(folder, 'entry')
  t.match(view, { type: 'container', status: 'running', health: 'healthy', port: Number, url: String })
  const said = (await textOf(view.port)).split('\n')
  t.same(
    said.filter(line => /^arg|^user|^folder/.test(line)),
    ['arg one', 'arg two words', 'user 1000', 'folder /srv/app'],
  )
  for (const line of ['FROM_IMAGE=yes', 'OWN=of the service', 'PORT=8080']) t.ok(said.includes(line), line)
  t.notMatch(said.join('\n'), /secret of the shell|^HOST=/m, 'nothing of the shell')
  t.match((await sandbox.get('entry.plain.localhost')).body, /arg one/, 'through the proxy')
  t.same(
    (await sandbox.containers()).map(({ name, isRunning }) => [name.replace(/[0-9a-f]{6}$/, 'OWNER'), isRunning]),
    [['locald-plain-entry-OWNER', true]],
  )
  const labels = JSON.parse(
    await sandbox.inspect(await containerOf(sandbox, 'plain', 'entry'), '{{json .Config.Labels}}'),
  )
  t.match(labels, { 'dev.locald.project': 'plain', 'dev.locald.service': 'entry', 'dev.locald.path': folder })
  await sandbox.ok(['stop'], { cwd: folder })
  t.same(await sandbox.containers(), [], 'no container is left')
  t.same(await sandbox.networks(), [], 'no network is left')
})

onEngine('each option reaches the container', async (t, sandbox) => {
  const image = await sandbox.image('entry')
  const folder = sandbox.project('options', {
    'locald.toml': configuration('options', {
      words: {
        image,
        container_port: 8080,
        ports: ['9001', '9002'],
        command: `'three words here' "$HOME" plain`,
        user: '0',
        workdir: '/tmp',
        init: false,
        labels: { 'org.example.owner': 'tests "quoted"' },
        shm_size: '16m',
        tmpfs: ['/scratch'],
        memory: '128m',
        cpus: 1.5,
        stop_signal: 'SIGINT',
        stop_timeout: 1,
      },
      replaced: {
        image,
        container_port: 9000,
        entrypoint: ['httpd', '-f'],
        command: ['-p', '9000', '-h', '/served'],
        volumes: ['./served:/served:ro', './cached:/cached:cached', 'kept:/kept', './app:/app', '/app/node_modules'],
        user: '0:0',
      },
    }),
    'served/index.html': 'of a bind mount\n',
    'cached/file': 'cached\n',
    'app/package.json': '{}\n',
    'app/node_modules/of-the-host': 'hidden\n',
  })
  await sandbox.up(folder)
  const words = await sandbox.service(folder, 'words')
  const said = (await textOf(words.port)).split('\n')
  t.same(
    said.filter(line => /^arg|^user|^folder/.test(line)),
    ['arg three words here', 'arg $HOME', 'arg plain', 'user 0', 'folder /tmp'],
    'a text is split into words, and no shell sees it',
  )
  const container = await containerOf(sandbox, 'options', 'words')
  const inside = async (...args: string[]) => await sandbox.ask('exec', container, ...args)
  t.match(await inside('cat', '/proc/1/cmdline'), /^httpd/, 'without init it is process 1')
  t.match(await inside('df', '-k', '/dev/shm'), / 16384 /)
  t.match(await inside('cat', '/proc/mounts'), /tmpfs \/scratch tmpfs/)
  t.equal(await sandbox.inspect(container, '{{index .Config.Labels "org.example.owner"}}'), 'tests "quoted"')
  // Control groups of version 1 have no limits for ordinary users.
  if (!isOwnEngine) t.equal(await sandbox.inspect(container, '{{.HostConfig.Memory}}'), String(128 * 1024 * 1024))
  const published = await sandbox.ask('port', container)
  t.equal(published.split('\n').filter(line => /-> 127\.0\.0\.1:\d+$/.test(line)).length, 3, published)

  const replaced = await sandbox.service(folder, 'replaced')
  t.equal(await textOf(replaced.port), 'of a bind mount\n')
  const other = await containerOf(sandbox, 'options', 'replaced')
  const shell = async (script: string) => await sandbox.engine(['exec', other, 'sh', '-c', script]).done
  t.match(await shell('touch /served/file'), { code: 1, stderr: /Read-only/ })
  t.match(await shell('cat /cached/file && touch /cached/made'), { code: 0, stdout: 'cached\n' })
  t.ok(existsSync(join(folder, 'cached', 'made')), 'a bind mount is writable')
  t.match(await shell('ls /app /app/node_modules; touch /app/node_modules/inside'), {
    code: 0,
    stdout: '/app:\nnode_modules\npackage.json\n\n/app/node_modules:\n',
  })
  t.same(readdirSync(join(folder, 'app', 'node_modules')), ['of-the-host'], 'the anonymous volume is not the folder')
  t.match(await shell('cat /proc/1/cmdline'), { stdout: /init|catatonit|tini/ }, 'init is process 1')
  t.ok((await sandbox.volumes()).some(name => name.startsWith('locald-options-kept-')))
})

/** Where calls of the engine's program are written down. */
const calls = mkdtempSync(join(tmpdir(), 'locald-calls-'))
t.teardown(() => rmSync(calls, { recursive: true, force: true }))

t.test('values of the environment arrive whole, and in no argv', { skip: noContainers }, async t => {
  const sandbox = new ContainerSandbox(t, {
    env: { PATH: `${calls}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/bin` },
  })
  sandbox.own(calls)
  sandbox.write(
    join(calls, engineName),
    `#!/bin/sh\nprintf '%s\\n' "$@" >>${calls}/words\nexec env PATH="\${PATH#*:}" ${engineName} "$@"\n`,
    0o755,
  )
  const values = {
    LINES: 'secret one\nsecret two\n\nsecret three',
    QUOTES: `secret "double" 'single' \\ back`,
    DOLLARS: 'secret $HOME `id` $(id)',
    SPACES: '  secret  ',
    EMPTY: '',
    // They steer the engine's own program.
    PATH: '/secret/bin:/usr/bin:/bin',
    HOME: '/secret/home',
    DOCKER_HOST: 'secret://docker',
    CONTAINER_HOST: 'secret://podman',
    XDG_RUNTIME_DIR: '/secret/run',
    HTTP_PROXY: 'http://secret.invalid',
    TMPDIR: '/secret/tmp',
  }
  const folder = sandbox.project('secrets', {
    'locald.toml': configuration('secrets', {
      printer: {
        image: await sandbox.image('busybox'),
        command: ['sleep', '1000'],
        env: values,
      },
    }),
  })
  sandbox.write(join(folder, '.env'), 'FROM_FILE="secret of a file"\n')
  await sandbox.up(folder)
  const container = await containerOf(sandbox, 'secrets', 'printer')
  const environment = new Map(
    (await sandbox.ask('exec', container, 'cat', '/proc/1/environ'))
      .split('\0')
      .map((entry): [string, string] => [entry.slice(0, entry.indexOf('=')), entry.slice(entry.indexOf('=') + 1)]),
  )
  for (const [name, value] of Object.entries({ ...values, FROM_FILE: 'secret of a file' }))
    t.equal(environment.get(name), value, name)
  t.match(readFileSync(join(calls, 'words'), 'utf8'), /^run$/m)
  t.notMatch(readFileSync(join(calls, 'words'), 'utf8'), /secret (one|"double"|\$HOME)|\/secret\/|secret:/)
  const all = readdirSync('/proc').filter(name => /^\d+$/.test(name))
  t.same(
    all.filter(pid => /secret (one|"double"|of a file)|\/secret\//.test(commandOf(pid))),
    [],
  )
})

onEngine('output keeps its streams and times, and an exit its code and reason', async (t, sandbox) => {
  const folder = sandbox.project('exits', {
    'locald.toml': configuration('exits', {
      three: { image: await sandbox.image('exits'), env: { CODE: '3' }, restart: 'no' },
      zero: { image: await sandbox.image('exits'), restart: 'no' },
      absent: { image: await sandbox.image('bare'), command: ['/bin/nothing'], restart: 'no' },
    }),
  })
  await sandbox.run(['up', '--json'], { cwd: folder })
  const settled = async (name: string, status: string) =>
    await until(`${name} to be ${status}`, async () => {
      const view = await sandbox.service(folder, name)
      return view.status === status ? view : undefined
    })
  t.match(await settled('three', 'failed'), { reason: /exited with code 3/ })
  t.match(await settled('zero', 'exited'), { restarts: 0 })
  t.match(await settled('absent', 'failed'), { reason: /exited with code|nothing/ })
  const lines = await sandbox.logs(folder, ['three'])
  t.same(
    lines
      .filter(({ stream }) => stream === 'stdout' || stream === 'stderr')
      .map(({ stream, text }) => [stream, text])
      .sort(),
    [
      ['stderr', 'err'],
      ['stdout', 'out'],
    ],
  )
  for (const { time } of lines) t.match(time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/)
})

onEngine('a build has its target, arguments and progress', async (t, sandbox) => {
  const folder = sandbox.project('built', {
    'locald.toml': configuration('built', {
      web: {
        build: {
          context: 'source',
          dockerfile: 'Dockerfile.dev',
          target: 'served',
          args: { GREETING: 'hello "$HOME"' },
        },
        container_port: 80,
      },
    }),
    'source/Dockerfile.dev': `FROM ${await sandbox.image('busybox')} AS base
RUN echo building the base
FROM base AS served
ARG GREETING=none
RUN mkdir /www && echo "$GREETING" >/www/index.html
COPY page.html /www/page.html
CMD ["httpd", "-f", "-p", "80", "-h", "/www"]
FROM base AS other
RUN exit 1
`,
    'source/page.html': 'a page\n',
  })
  const events = await sandbox.up(folder)
  const steps = events.flatMap(event => (event.event === 'step' ? [event.text] : []))
  t.ok(
    steps.some(text => text.startsWith('building ')),
    steps.join('\n'),
  )
  const output = (await sandbox.logs(folder, ['web'])).map(({ text }) => text).join('\n')
  t.match(output, /COPY page\.html/, 'what the engine says is in the log')
  const { port } = await sandbox.service(folder, 'web')
  t.equal(await textOf(port), 'hello "$HOME"\n')
  sandbox.write(join(folder, 'source', 'page.html'), 'another page\n')
  await sandbox.ok(['restart', 'web'], { cwd: folder })
  t.equal(
    await textOf((await sandbox.service(folder, 'web')).port, '/page.html'),
    'another page\n',
    'it is built again',
  )
  sandbox.write(
    join(folder, 'source', 'Dockerfile.dev'),
    `FROM ${await sandbox.image('busybox')} AS served\nRUN echo no such luck && exit 7\n`,
  )
  const failed = await sandbox.run(['restart', 'web'], { cwd: folder })
  t.equal(failed.code, 1)
  t.match(failed.stdout + failed.stderr, /could not be built: .*exit.* 7/)
})

function commandOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8')
  } catch {
    return ''
  }
}
