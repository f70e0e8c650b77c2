import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { request } from 'node:http'
import { join } from 'node:path'
import { connected } from '../lib/raw-http.ts'
import { until } from '../lib/running.ts'
import type { Files } from '../lib/sandbox.ts'
import { onEach } from './suite.ts'

/** A server that answers with its name and environment variable GREETING; it ends at SIGTERM. */
const server = `import { createServer } from 'node:http'
const server = createServer((_, response) => response.end(process.env.GREETING ?? 'hello'))
server.listen(Number(process.env.PORT), '127.0.0.1', () => console.log('listening'))
`

function toml(services: string, name = 'shop'): Files {
  return { 'locald.toml': `[project]\nname = "${name}"\n${services}`, 'server.mjs': server }
}

onEach('the life of services', async (t, machine) => {
  const sandbox = machine.sandbox()

  t.test('starts services by dependency and prints each URL', async t => {
    const folder = sandbox.project(
      'up',
      toml(`
[services.web]
command = "node server.mjs"
depends_on = ["api"]
env = { GREETING = "web of \${project.name}, api at \${services.api.url}" }
[services.api]
command = "node server.mjs"
depends_on = { seed = "completed", queue = "started" }
[services.seed]
type = "worker"
command = "echo seeded > seed.txt"
[services.queue]
type = "worker"
command = "exec sleep 1000"
`),
    )
    const up = await sandbox.ok(['up'], { cwd: folder })
    t.match(up.stdout, /web +ready +https:\/\/shop\.localhost:\d+/)
    t.match(up.stdout, /api +ready +https:\/\/api\.shop\.localhost:\d+/)
    t.match(up.stdout, /seed +exited/)
    t.notMatch(up.stdout + up.stderr, /\x1b/, 'no colour without a terminal')
    t.equal(readFileSync(join(folder, 'seed.txt'), 'utf8'), 'seeded\n')
    const views = new Map((await sandbox.status(folder)).map(view => [view.name, view]))
    const [web, api, seed, queue] = ['web', 'api', 'seed', 'queue'].map(name => views.get(name))
    t.match(web, {
      key: 'shop:web',
      project: 'shop',
      type: 'exec',
      status: 'running',
      health: 'healthy',
      restarts: 0,
      reason: null,
    })
    t.match(seed, { type: 'worker', status: 'exited', health: null, port: null, url: null })
    t.match(queue, { type: 'worker', status: 'running', health: null, port: null, url: null, pid: Number })
    t.ok(web?.memory !== null && (web?.memory ?? 0) > 1_000_000, 'memory in bytes')
    t.match(web?.startedAt, /^\d{4}-\d\d-\d\dT[\d:.]+Z$/)
    const answer = await sandbox.get('shop.localhost')
    t.equal(answer.body, `web of shop, api at http://127.0.0.1:${api?.port}`)
  })

  t.test('keeps unchanged services, restarts changed ones, stops removed ones', async t => {
    const folder = sandbox.project('again', toml(services('one', true), 'again'))
    await sandbox.up(folder)
    const pids = async () => new Map((await sandbox.status(folder)).map(view => [view.name, view.pid]))
    const before = await pids()
    await sandbox.up(folder)
    t.same(await pids(), before, 'the same processes')
    await sandbox.up(folder, [], { env: { UNRELATED: 'of the shell' } })
    t.same(await pids(), before, 'the same processes for another shell')
    sandbox.write(join(folder, 'locald.toml'), String(toml(services('two', false), 'again')['locald.toml']))
    await sandbox.up(folder)
    const after = await pids()
    t.equal(after.get('web'), before.get('web'), 'web is the same process')
    t.not(after.get('api'), before.get('api'), 'api is another process')
    t.notOk(after.has('removed'), 'removed is stopped')
    t.equal((await sandbox.get('api.again.localhost')).body, 'two')
  })

  t.test('up NAME starts the named services and their dependencies', async t => {
    const folder = sandbox.project(
      'some',
      toml(
        `[services.a]\ncommand = "node server.mjs"\n[services.b]\ncommand = "node server.mjs"\ndepends_on = ["a"]\n[services.c]\ncommand = "node server.mjs"\n`,
        'some',
      ),
    )
    await sandbox.up(folder, ['b'])
    const states = async () =>
      Object.fromEntries((await sandbox.status(folder)).map(({ name, status }) => [name, status]))
    t.same(await states(), { a: 'running', b: 'running', c: 'stopped' })
    await sandbox.ok(['stop', 'some:a'])
    t.same(await states(), { a: 'stopped', b: 'running', c: 'stopped' }, 'by its full name from anywhere')
    const wrong = await sandbox.run(['up', 'd'], { cwd: folder })
    t.equal(wrong.code, 2)
    t.match(wrong.stderr, /Error: unknown service 'd' in project 'some'.* \[UNKNOWN_SERVICE]\nHint: /)
    const unknown = await sandbox.run(['stop', 'other:x'])
    t.equal(unknown.code, 2)
    t.match(unknown.stderr, /UNKNOWN_PROJECT/)
    await sandbox.ok(['stop'], { cwd: folder })
    t.same(await states(), { a: 'stopped', b: 'stopped', c: 'stopped' })
    t.match((await sandbox.ok(['stop'], { cwd: folder })).stdout, /Nothing was running/)
  })

  t.test('an interrupted up stops what it has started, and nothing else', async t => {
    const folder = sandbox.project('broken-off', {
      'locald.toml': `
        [project]
        name = "broken-off"
        [services.before]
        type = "worker"
        command = "trap 'echo stopping; while ! test -e gate; do sleep 0.05; done; exit 0' TERM; while :; do sleep 0.05; done"
        stop_timeout = 60
        [services.job]
        type = "worker"
        command = "exec sleep 100000"
        health_check = { type = "log", pattern = "never" }
      `,
    })
    const states = async () =>
      Object.fromEntries((await sandbox.status(folder)).map(({ name, status }) => [name, status]))
    await sandbox.up(folder, ['before'])
    const up = sandbox.start(['up'], { cwd: folder })
    await until('job to start', async () => (await states())['job'] === 'starting')
    up.child.kill('SIGINT')
    t.match(await up.done, { code: 130, stderr: /Stopping what was started/ })
    t.same(await states(), { before: 'running', job: 'stopped' })

    const stop = sandbox.start(['stop'], { cwd: folder })
    await until('the signal to arrive', async () => (await sandbox.logs(folder, ['before'])).length > 0)
    const connection = await connected((await sandbox.server()).socket)
    const headers = { 'content-type': 'application/json' }
    const asked = { createConnection: () => connection, path: '/v1/projects/up', method: 'POST', headers }
    const left = request(asked).on('error', () => {})
    left.end(JSON.stringify({ path: folder, env: {} }))
    await once(left, 'finish')
    // What answers one that comes later has taken the up, too,
    await sandbox.server()
    left.destroy()
    // and its end.
    await sandbox.server()
    sandbox.write(join(folder, 'gate'), '')
    t.equal((await stop.done).code, 0)
    await sandbox.ok(['stop'], { cwd: folder })
    t.same((await sandbox.logs(folder, ['job'])).length, 0)
    t.same(
      await states(),
      { before: 'stopped', job: 'stopped' },
      'who has left before anything was begun begins nothing',
    )
  })

  t.test('why shows the reason of the last restart', async t => {
    const command = 'test -e fell || { touch fell; exit 3; }; exec node server.mjs'
    const folder = sandbox.project('fell', toml(`[services.web]\ncommand = "${command}"\n`, 'fell'))
    await sandbox.up(folder)
    const { stdout } = await sandbox.ok(['why', 'web'], { cwd: folder })
    t.match(stdout, /^web is running, healthy \(.*\), restarted once\n {2}last restart: exited with code 3\n$/)
  })

  t.test('a crashing service is restarted with growing delays, then fails', async t => {
    const folder = sandbox.project(
      'crash',
      toml(
        `[services.web]\ncommand = "echo boom $PORT; exit 3"\n[services.after]\ncommand = "node server.mjs"\ndepends_on = ["web"]\n`,
        'crash',
      ),
    )
    const up = await sandbox.run(['up'], { cwd: folder })
    t.equal(up.code, 1)
    t.match(up.stderr, /web failed: gave up after 5 crashes in 60 s \(last: exited with code 3/)
    t.match(up.stderr, /\| boom \d+/, 'its last lines')
    t.match(up.stderr, /\[SERVICE_FAILED]/)
    const web = await sandbox.service(folder, 'web')
    t.match(web, { status: 'failed', pid: null, restarts: 4 })
    t.match((await sandbox.service(folder, 'after')).reason, /^web failed: /)
    t.match(
      (await sandbox.ok(['why', 'after'], { cwd: folder })).stdout,
      /after failed: web failed\n.*\n└─ web failed: gave up/,
    )
    const answer = await sandbox.get('crash.localhost', '/', { accept: 'text/html', 'sec-fetch-mode': 'navigate' })
    t.equal(answer.status, 503)
    t.match(answer.body, /gave up after 5 crashes/)
    t.match(answer.body, /boom/)
    const status = await sandbox.ok(['status'], { cwd: folder })
    t.match(status.stdout, /web +Failed .*\n +gave up after 5 crashes/, 'a reason line')
    t.equal((await sandbox.run(['wait', '--timeout', '5'], { cwd: folder })).code, 1)
  })

  t.test('wait, restart and why', async t => {
    const folder = sandbox.project(
      'slow',
      toml(
        `[services.web]\ncommand = "while [ ! -e go ]; do sleep 0.05; done; exec node server.mjs"\n[services.next]\ncommand = "node server.mjs"\ndepends_on = ["web"]\n`,
        'slow',
      ),
    )
    const up = sandbox.start(['up'], { cwd: folder })
    await until('web starts', async () => (await sandbox.status(folder)).some(view => view.status === 'starting'))
    const late = await sandbox.run(['wait', 'web', '--timeout', '0.4'], { cwd: folder })
    t.equal(late.code, 124)
    t.match(late.stderr, /WAIT_TIMEOUT/)
    await until('the reason', async () => {
      const { stdout } = await sandbox.ok(['why', 'web'], { cwd: folder })
      return /web is starting: connection refused on 127\.0\.0\.1:\d+, \d+ (?:try|tries)/.test(stdout)
    })
    t.match(
      (await sandbox.ok(['why', 'next'], { cwd: folder })).stdout,
      /^next is waiting for web: connection refused on 127\.0\.0\.1:\d+, \d+ (?:try|tries)\n/,
    )
    const waiting = sandbox.start(['wait', 'web'], { cwd: folder })
    const held = sandbox.get('slow.localhost')
    sandbox.write(join(folder, 'go'), '')
    t.equal((await up.done).code, 0)
    t.equal((await waiting.done).code, 0)
    t.equal((await held).body, 'hello', 'a request waits until the service is ready')
    const { pid } = await sandbox.service(folder, 'web')
    await sandbox.ok(['restart', 'web'], { cwd: folder })
    const again = await sandbox.service(folder, 'web')
    t.not(again.pid, pid)
    t.equal(again.status, 'running')
  })

  t.test('a failure shows only the output of its own run', async t => {
    const folder = sandbox.project('said', {
      'locald.toml': `
        [project]
        name = "said"
        [services.job]
        type = "worker"
        restart = "no"
        health_check = { type = "log", pattern = "never" }
        command = "test -e again && { echo second; exit 3; }; touch again; echo first; exit 3"
      `,
    })
    const up = async () =>
      (await sandbox.run(['up'], { cwd: folder })).stderr.split('\n').filter(line => /^ {2}\|/.test(line))
    t.same(await up(), ['  | first'])
    t.same(await up(), ['  | second'])
  })

  t.test('a followed project reports the shutdown of the daemon', async t => {
    const folder = sandbox.project('followed', toml(`[services.web]\ncommand = "node server.mjs"\n`, 'followed'))
    const follower = sandbox.start(['up', '--attach'], { cwd: folder })
    await until('it is followed', () => follower.stderr.includes('Press Ctrl-C to stop'))
    const shutdown = await sandbox.ok(['server', 'shutdown'])
    t.match(shutdown.stderr, /^ {2}followed:web +stopped$/m, 'each with its project')
    const { code, stderr } = await follower.done
    t.equal(code, 0)
    const [, said] = stderr.split('Press Ctrl-C to stop the project\n')
    t.equal(said, 'locald | the daemon is shutting down\nlocald | web was stopped\nAll services have stopped\n')
  })

  t.test('localhost may be either address: a service on ::1 alone is ready, and the proxy answers on both', async t => {
    const files = toml(`[services.web]\ncommand = "node server.mjs"\n`, 'six')
    const six = server.replace("'127.0.0.1'", "'::1'")
    const folder = sandbox.project('six', { ...files, 'server.mjs': six })
    await sandbox.up(folder)
    t.match(await sandbox.service(folder, 'web'), { status: 'running', health: 'healthy' })
    const port = await sandbox.http()
    for (const address of ['127.0.0.1', '::1']) {
      const asked = request({ host: address, port, headers: { host: 'six.localhost' } }).end()
      const [answer] = await once(asked, 'response')
      t.equal(answer.statusCode, 200, address)
      answer.resume()
    }
  })

  t.test('ports stay the same', async t => {
    const folder = sandbox.project('ports', toml(`[services.web]\ncommand = "node server.mjs"\n`, 'ports'))
    await sandbox.up(folder)
    const { port } = await sandbox.service(folder, 'web')
    await sandbox.ok(['server', 'shutdown'])
    await sandbox.up(folder)
    t.equal((await sandbox.service(folder, 'web')).port, port)
  })
})

function services(greeting: string, hasRemoved: boolean): string {
  const removed = hasRemoved ? '[services.removed]\ncommand = "node server.mjs"\n' : ''
  return `[services.web]\ncommand = "node server.mjs"\n[services.api]\ncommand = "node server.mjs"\nenv = { GREETING = "${greeting}" }\n${removed}`
}
