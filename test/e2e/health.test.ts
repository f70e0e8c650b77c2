import { join } from 'node:path'
import { until } from '../lib/running.ts'
import { onHost } from './suite.ts'

const server = `import { createServer } from 'node:http'
import { existsSync } from 'node:fs'
const server = createServer(({ url }, response) => {
  response.statusCode = url === '/healthz' && existsSync('broken') ? 503 : 200
  response.end('hello')
})
server.listen(Number(process.env.PORT), process.env.LISTEN ?? '127.0.0.1')
`

/** What says that a service is ready: systemd's own program where there is one. */
const notify =
  process.platform === 'linux'
    ? `systemd-notify --ready --status='serving'`
    : `python3 -c 'import os, socket; socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM).sendto(b\\"READY=1\\", os.environ[\\"NOTIFY_SOCKET\\"])'`

onHost('health', async (t, machine) => {
  const sandbox = machine.sandbox()
  const project = (name: string, services: string) =>
    sandbox.project(name, { 'locald.toml': `[project]\nname = "${name}"\n${services}`, 'server.mjs': server })

  await t.test('supports every type of health check', async t => {
    const folder = project(
      'kinds',
      `
[services.http]
command = "node server.mjs"
health_check = { type = "http", path = "/healthz", interval = 0.1, timeout = 2 }
[services.tcp]
command = "node server.mjs"
health_check = { type = "tcp" }
[services.command]
type = "worker"
command = "sleep 0.3; touch done-$NAME; exec sleep 1000"
env = { NAME = "it" }
health_check = "test -e done-$NAME"
[services.log]
type = "worker"
command = "echo warming up; sleep 0.2; printf 'server \\\\033[32mready\\\\033[0m in %s ms\\n' 200; exec sleep 1000"
health_check = { type = "log", pattern = "ready in \\\\d+ ms" }
[services.notify]
type = "worker"
command = "sleep 0.2; ${notify}; exec sleep 1000"
health_check = { type = "notify" }
[services.six]
command = "node server.mjs"
env = { LISTEN = "::1" }
`,
    )
    await sandbox.up(folder)
    for (const view of await sandbox.status(folder)) t.match(view, { status: 'running', health: 'healthy' }, view.name)
    t.equal((await sandbox.get('six.kinds.localhost')).body, 'hello', 'what listens on ::1 only is reached')
  })

  await t.test('a ready service becomes unhealthy and recovers', async t => {
    const folder = project(
      'later',
      `[services.web]\ncommand = "node server.mjs"\nhealth_check = { type = "http", path = "/healthz", interval = 0.1, timeout = 2 }\n`,
    )
    await sandbox.up(folder)
    const { pid } = await sandbox.service(folder, 'web')
    sandbox.write(join(folder, 'broken'), '')
    await until('unhealthy', async () => (await sandbox.service(folder, 'web')).health === 'unhealthy')
    t.match((await sandbox.service(folder, 'web')).reason, /GET \/healthz answered 503 \(\d+ times in a row\)/)
    t.equal((await sandbox.run(['wait', '--timeout', '5'], { cwd: folder })).code, 1)
    await sandbox.spawn(['rm', join(folder, 'broken')]).done
    await until('healthy', async () => (await sandbox.service(folder, 'web')).health === 'healthy')
    t.equal((await sandbox.service(folder, 'web')).pid, pid, 'it was not restarted')
  })

  await t.test('up fails with the reason when a service never becomes ready', async t => {
    const folder = project(
      'never',
      `[services.web]\ncommand = "exec sleep 1000"\nready_timeout = 1\n[services.next]\ncommand = "node server.mjs"\ndepends_on = ["web"]\n`,
    )
    const up = await sandbox.run(['up'], { cwd: folder })
    t.equal(up.code, 1)
    t.match(up.stderr, /^web unhealthy: not ready within 1 s: connection refused on 127\.0\.0\.1:\d+, \d+ tries$/m)
    t.match(
      up.stderr,
      /Error: service 'web' is not ready; service 'next' failed \[SERVICE_FAILED]\nHint: Run `locald why web`/,
    )
    t.match((await sandbox.service(folder, 'next')).reason, /^web is unhealthy: not ready within 1 s/)
  })

  await t.test('up fails when a fixed port is in use', async t => {
    const first = project('first', `[services.web]\ncommand = "node server.mjs"\n`)
    await sandbox.up(first)
    const { port } = await sandbox.service(first, 'web')
    const second = project('second', `[services.web]\ncommand = "node server.mjs"\nport = ${port}\nrestart = "no"\n`)
    const up = await sandbox.run(['up'], { cwd: second })
    t.equal(up.code, 1)
    t.match(up.stderr, new RegExp(`port ${port} of second:web is in use by service first:web`))
    const stranger = sandbox.spawn([
      process.execPath,
      '-e',
      'require("net").createServer().listen(0,"127.0.0.1",function(){console.log("on",this.address().port)})',
    ])
    await stranger.prints(/on (\d+)/)
    const [, taken] = /on (\d+)/.exec(stranger.stdout) ?? []
    const third = project('third', `[services.web]\ncommand = "node server.mjs"\nport = ${taken}\nrestart = "no"\n`)
    const refused = await sandbox.run(['up'], { cwd: third })
    stranger.child.kill()
    t.equal(refused.code, 1)
    t.match(refused.stderr, new RegExp(`port ${taken} of third:web is in use by \\S+ \\(pid ${stranger.child.pid}\\)`))
  })

  await t.test('pipes keep stderr separate, a terminal merges it', async t => {
    const folder = project(
      'streams',
      `
[services.pipes]
type = "worker"
tty = false
restart = "no"
command = "echo out; echo err >&2; test -t 1 || echo no terminal"
[services.terminal]
type = "worker"
restart = "no"
command = "test -t 1 && echo terminal; printf '\\\\033[31mred\\\\033[0m\\n'"
`,
    )
    await sandbox.up(folder)
    const lines = (await sandbox.logs(folder)).map(({ service, stream, text }) => `${service} ${stream} ${text}`)
    t.same(lines.filter(line => line.startsWith('streams:pipes')).sort(), [
      'streams:pipes stderr err',
      'streams:pipes stdout no terminal',
      'streams:pipes stdout out',
    ])
    t.same(
      lines.filter(line => line.startsWith('streams:terminal')),
      ['streams:terminal stdout terminal', 'streams:terminal stdout \x1b[31mred\x1b[0m'],
    )
    const plain = (await sandbox.ok(['logs', 'terminal'], { cwd: folder })).stdout
    t.equal(plain, 'terminal | terminal\nterminal | red\n', 'no colours where the reader is not a terminal')
    t.match((await sandbox.ok(['logs', '--grep', 'r.d'], { cwd: folder })).stdout, /^terminal \| red\n$/)
  })

  await t.test('an unknown service type starts nothing', async t => {
    const folder = project(
      'types',
      `[services.web]\ncommand = "node server.mjs"\n[services.x]\ntype = "exce"\ncommand = "x"\n`,
    )
    const up = await sandbox.run(['up'], { cwd: folder })
    t.equal(up.code, 2)
    t.match(up.stderr, /type 'exce' is not available: no plugin provides it.*\[SERVICE_TYPE_UNSUPPORTED]/)
    t.match(up.stderr, /did you mean 'exec'\?/)
    t.same(await sandbox.status(folder), [])
  })

  await t.test('run uses the environment of the service and returns the exit code', async t => {
    const folder = project(
      'oneoff',
      `[services.web]\ncommand = "node server.mjs"\nenv = { GREETING = "of \${project.name} $\${x}" }\ndepends_on = ["dep"]\n[services.dep]\ntype = "worker"\ncommand = "exec sleep 100006"\n`,
    )
    const ran = await sandbox.run(
      ['run', 'web', '--', 'sh', '-c', 'echo "$GREETING $PORT"; exit 7', '  two  spaces  '],
      { cwd: folder },
    )
    t.equal(ran.code, 7)
    t.match(ran.stdout, /^of oneoff \$\{x} \d+\n$/)
    t.equal(ran.stderr, 'Note: dep is not running; start it with `locald up dep`\n')
    const shell = { TERM: 'own', MINE: 'yes', NOTIFY_SOCKET: '/supervisor', LISTEN_FDS: '1' }
    const env = await sandbox.ok(['run', 'web', 'env'], { cwd: folder, env: { ...sandbox.env, ...shell } })
    t.match(env.stdout, /^TERM=own$/m)
    t.match(env.stdout, /^MINE=yes$/m)
    t.notMatch(env.stdout, /^(?:NOTIFY_SOCKET|LISTEN_FDS)=/m, 'what services are not given of a shell')
  })
})
