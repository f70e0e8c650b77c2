import { join } from 'node:path'
import type { ContainerSandbox } from '../lib/containers.ts'
import { configuration, containerOf, textOf } from '../lib/containers-project.ts'
import { until } from '../lib/running.ts'
import { onEngine } from './container-suite.ts'

onEngine('volumes survive restarts, and a reset removes the own ones of a service only', async (t, sandbox) => {
  const busybox = await sandbox.image('busybox')
  const keeper = (volume: string) => ({
    image: busybox,
    command: ['sleep', '1000'],
    volumes: [`${volume}:/data`, '/scratch'],
  })
  const folder = sandbox.project('kept', {
    'locald.toml': configuration('kept', {
      cache: { image: await sandbox.image('redis'), container_port: 6379, volumes: ['redis:/data'] },
      one: keeper('one'),
      two: keeper('two'),
    }),
  })
  await sandbox.ask('volume', 'create', 'of-the-user')
  await sandbox.up(folder)
  const inside = async (service: string, ...args: string[]) =>
    await sandbox.ask('exec', await containerOf(sandbox, 'kept', service), ...args)
  t.equal(await inside('cache', 'redis-cli', 'set', 'key', 'value'), 'OK')
  await inside('one', 'sh', '-c', 'echo first >/data/file')
  await inside('two', 'sh', '-c', 'echo second >/data/file')
  const all = await sandbox.volumes()
  t.same(all.map(name => name.replace(/-[0-9a-f]{6}$/, '').replace(/-[0-9a-f]{8}$/, ' of its own')).sort(), [
    'locald-kept-one',
    'locald-kept-one of its own',
    'locald-kept-redis',
    'locald-kept-two',
    'locald-kept-two of its own',
    ...(all.includes('of-the-user') ? ['of-the-user'] : []),
  ])

  await sandbox.ok(['restart'], { cwd: folder })
  t.equal(await inside('one', 'cat', '/data/file'), 'first')
  await sandbox.ok(['stop'], { cwd: folder })
  t.same([await sandbox.containers(), await sandbox.networks()], [[], []])
  t.same(await sandbox.volumes(), all, 'each volume is kept')
  await sandbox.up(folder)
  t.equal(await inside('cache', 'redis-cli', 'get', 'key'), 'value')
  t.equal(await inside('one', 'cat', '/data/file'), 'first')

  await sandbox.ok(['service', 'reset', 'one', '--yes'], { cwd: folder })
  await sandbox.up(folder)
  t.equal(await inside('one', 'ls', '/data'), '')
  t.equal(await inside('two', 'cat', '/data/file'), 'second')
  t.equal(await inside('cache', 'redis-cli', 'get', 'key'), 'value')
  t.same(await sandbox.volumes(), all)
})

onEngine('what is done to a container behind the back of locald is seen', async (t, sandbox) => {
  const web = { image: await sandbox.image('web'), container_port: 80 }
  const folder = sandbox.project('behind', {
    'locald.toml': configuration('behind', {
      removed: web,
      killed: web,
      stopped: { ...web, restart: 'no' },
      paused: web,
    }),
  })
  await sandbox.up(folder)
  const ids = new Map<string, string>()
  for (const name of ['removed', 'killed', 'stopped']) ids.set(name, await idOf(sandbox, 'behind', name))
  await sandbox.ask('rm', '-f', ids.get('removed') ?? '')
  await sandbox.ask('kill', '-s', 'KILL', ids.get('killed') ?? '')
  await sandbox.ask('stop', '-t', '1', ids.get('stopped') ?? '')
  for (const name of ['removed', 'killed']) {
    const view = await until(`${name} to run again`, async () => {
      const now = await sandbox.service(folder, name)
      return now.status === 'running' && now.restarts > 0 && now.health === 'healthy' ? now : undefined
    })
    t.equal(await textOf(view.port), 'hello from web\n')
    t.not(await idOf(sandbox, 'behind', name), ids.get(name))
  }
  const stopped = await until('the end of the stopped one', async () => {
    const now = await sandbox.service(folder, 'stopped')
    return now.status === 'failed' || now.status === 'exited' ? now : undefined
  })
  t.match(stopped.reason, /exited with code|terminated by/)
  await sandbox.ok(['stop'], { cwd: folder })
  t.same([await sandbox.containers(), await sandbox.networks()], [[], []])

  await sandbox.up(folder)
  await sandbox.ask(
    'network',
    'disconnect',
    '-f',
    (await sandbox.networks())[0] ?? '',
    await containerOf(sandbox, 'behind', 'paused'),
  )
  await sandbox.ok(['stop'], { cwd: folder })
  t.same([await sandbox.containers(), await sandbox.networks()], [[], []])
})

onEngine('an image that was removed while its container ran fails the restart', async (t, sandbox) => {
  const image = await sandbox.image('web')
  const folder = sandbox.project('lost', {
    'locald.toml': configuration('lost', { web: { image, container_port: 80, pull: 'never' } }),
  })
  await sandbox.up(folder)
  await sandbox.ask('tag', image, 'localhost/other:1')
  await sandbox.ask('rmi', image)
  t.equal(await textOf((await sandbox.service(folder, 'web')).port), 'hello from web\n')
  const restarted = await sandbox.run(['restart', 'web'], { cwd: folder })
  t.equal(restarted.code, 1)
  t.match(restarted.stdout + restarted.stderr, /does not have the image/)
  await sandbox.ask('tag', 'localhost/other:1', image)
  await sandbox.up(folder)
  t.equal(await textOf((await sandbox.service(folder, 'web')).port), 'hello from web\n')
})

onEngine('volumes that were removed between two starts are made again as its own', async (t, sandbox) => {
  const folder = sandbox.project('pruned', {
    'locald.toml': configuration('pruned', {
      web: { image: await sandbox.image('web'), container_port: 80, volumes: ['data:/data', '/own'] },
      other: { image: await sandbox.image('web'), container_port: 80 },
    }),
  })
  await sandbox.up(folder)
  await sandbox.ok(['stop', 'web'], { cwd: folder })
  const before = await sandbox.volumes()
  await sandbox.ask('volume', 'rm', ...before)
  await sandbox.up(folder)
  t.same(await sandbox.volumes(), before)
  for (const volume of before) {
    const labels = await sandbox.ask('volume', 'inspect', '--format', '{{json .Labels}}', volume)
    t.match(labels, /"dev.locald.project":"pruned"/)
  }
})

onEngine('a project that gets another name leaves nothing of the first', async (t, sandbox) => {
  const api = {
    command: `node -e "require('http').createServer((_, answer) => answer.end()).listen(process.env.PORT, '127.0.0.1')"`,
  }
  const web = { image: await sandbox.image('web'), container_port: 80, env: { API: `\${services.api.url}` } }
  const folder = sandbox.project('named', { 'locald.toml': configuration('first', { api, web }) })
  await sandbox.up(folder)
  sandbox.write(join(folder, 'locald.toml'), configuration('second', { api, web }))
  await sandbox.up(folder)
  t.equal(await textOf((await sandbox.service(folder, 'web')).port), 'hello from web\n')
  await sandbox.ok(['stop'], { cwd: folder })
  t.same([await sandbox.containers(), await sandbox.networks()], [[], []])
})

onEngine('ups at the same time start each container once', async (t, sandbox) => {
  const web = { image: await sandbox.image('web'), container_port: 80 }
  const folder = sandbox.project('twice', { 'locald.toml': configuration('twice', { a: web, b: web }) })
  const ups = await Promise.all([1, 2, 3].map(() => sandbox.run(['up', '--json'], { cwd: folder })))
  t.same(
    ups.map(({ code }) => code),
    [0, 0, 0],
  )
  t.equal((await sandbox.containers()).length, 2)
  const ids = await Promise.all(['a', 'b'].map(name => idOf(sandbox, 'twice', name)))
  await sandbox.up(folder)
  t.same(await Promise.all(['a', 'b'].map(name => idOf(sandbox, 'twice', name))), ids, 'unchanged ones run on')
})

onEngine('what ignores the signal is killed', async (t, sandbox) => {
  const busybox = await sandbox.image('busybox')
  const folder = sandbox.project('polite', {
    'locald.toml': configuration('polite', {
      stubborn: { image: await sandbox.image('stubborn'), stop_timeout: 1 },
      polite: {
        image: busybox,
        command: ['sh', '-c', 'trap "echo bye; exit 0" INT; while :; do sleep 0.1; done'],
        stop_signal: 'SIGINT',
        stop_timeout: 30,
      },
    }),
  })
  await sandbox.up(folder)
  const began = performance.now()
  await sandbox.ok(['stop'], { cwd: folder })
  t.ok(performance.now() - began < 20_000, 'long before the timeout of the polite one')
  t.match(
    (await sandbox.logs(folder, ['polite'])).map(({ text }) => text),
    ['bye'],
  )
  t.same(await sandbox.containers(), [])
})

async function idOf(sandbox: ContainerSandbox, project: string, service: string): Promise<string> {
  return await sandbox.inspect(await containerOf(sandbox, project, service), '{{.Id}}')
}
