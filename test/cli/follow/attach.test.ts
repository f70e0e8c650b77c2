import t from 'tap'
import type { LocaldEvent } from '../../../kernel/events.ts'
import { shortHash } from '../../../kernel/system/paths.ts'
import { done, state, stream, view } from '../fake-daemon.ts'
import { Screen } from '../screen.ts'
import { line, project } from './project.ts'

t.test('up follows the logs until d detaches', async t => {
  const { daemon } = await project(t)
  const screen = new Screen(t, daemon, ['up'])
  await screen.shows('Press Ctrl-C to stop the project, d to detach')
  await screen.shows('\x1b[36mweb |\x1b[39m \x1b[32mhello\x1b[39m\x1b[0m')
  screen.press('xd')
  t.equal(await screen.ends(), 'code 0, restored')
  t.match(screen.text, 'Detached')
  t.match(screen.text, '\x1b[32mready\x1b[39m')
  t.notOk(daemon.asked.some(asked => asked.path === '/v1/projects/stop'))
  const since = Date.parse(daemon.last('/v1/logs').query.get('since') ?? '')
  t.ok(since <= Date.now() && since > Date.now() - 60_000)
})

t.test('Ctrl-C stops the project and prints its last lines', async t => {
  const { daemon } = await project(t)
  const screen = new Screen(t, daemon, ['up', 'web'])
  await screen.shows('hello')
  screen.press('\x03')
  t.equal(await screen.ends(), 'code 0, restored')
  t.match(screen.text, /Stopping… \(press Ctrl-C again to quit immediately\)[\s\S]*bye/)
  t.same(daemon.last('/v1/projects/stop').body, { path: daemon.home, services: ['web'] })
})

t.test('a second Ctrl-C quits immediately', async t => {
  const { daemon } = await project(t)
  daemon.on('POST /v1/projects/stop', response => void response.writeHead(200).flushHeaders())
  const screen = new Screen(t, daemon, ['up'])
  await screen.shows('hello')
  screen.press('\x03')
  await screen.shows('Stopping')
  screen.press('\x03')
  t.equal(await screen.ends(), 'code 130, restored')
})

t.test('Ctrl-C during the start stops what was started', async t => {
  const { daemon } = await project(t)
  const events = [state('db'), state('web', { status: 'starting' }), state('queue', { status: 'waiting' })]
  daemon.on('POST /v1/projects/up', response => {
    for (const event of events) response.write(`${JSON.stringify(event)}\n`)
  })
  const screen = new Screen(t, daemon, ['up'])
  await screen.shows('waiting')
  screen.press('\x03')
  t.equal(await screen.ends(), 'code 130, restored')
  const { id } = Object(daemon.last('/v1/projects/up').body)
  t.same(daemon.last('/v1/projects/stop').body, { path: daemon.home, begunBy: id })
})

t.test('Ctrl-C between ready and the logs stops the project', async t => {
  const { daemon } = await project(t)
  for (let round = 0; round < 5; round++) {
    const ran = await daemon.run(['up', '--attach'], {
      started: child => child.stdout?.once('data', () => child.kill('SIGINT')),
    })
    t.match(ran, { code: 0, stderr: /Stopping… \(press Ctrl-C again to quit immediately\)/ })
  }
})

t.test('stops following when another command stops the project', async t => {
  const { daemon, events, stopped, late } = await project(t)
  const listens = new Promise<void>(resolve => daemon.whenAsked('/v1/events', resolve))
  const screen = new Screen(t, daemon, ['up'])
  await screen.shows('hello')
  await listens
  late.push(line('its last words'))
  events.at(-1)?.write(`${JSON.stringify(state('web', { status: 'restarting' }))}\n`)
  events.at(-1)?.write(`${JSON.stringify(stopped)}\n`)
  t.equal(await screen.ends(), 'code 0, restored')
  t.match(screen.text, /its last words[\s\S]*All services have stopped/)
  t.equal(screen.text.split('hello').length, 2, 'what was shown is not shown again')
})

t.test('continues with the next daemon after a restart', async t => {
  const { daemon, events, logs } = await project(t)
  const asked = (path: string) => new Promise<void>(resolve => daemon.whenAsked(path, resolve))
  const listens = asked('/v1/events')
  const screen = new Screen(t, daemon, ['up'])
  await screen.shows('hello')
  await listens
  const again = Promise.all([asked('/v1/logs'), asked('/v1/events')])
  logs.at(-1)?.destroy()
  events.at(-1)?.destroy()
  await again
  t.same(daemon.last('/v1/logs').query.getAll('resume'), [
    `2026-01-01T00:00:00.000001Z stdout ${shortHash('\x1b[32mhello\x1b[39m', 16)} 1 shop:web`,
  ])
  events.at(-1)?.write(`${JSON.stringify(state('web'))}\n`)
  logs.at(-1)?.write(line('said meanwhile'))
  await screen.shows('said meanwhile')
  screen.press('\x03')
  t.equal(await screen.ends(), 'code 0, restored')
  t.equal(screen.text.split('hello').length, 2, 'no line is shown twice')
  t.match(screen.text, /hello[^\n]*\n[^\n]*said meanwhile/, 'without a message')
  t.match(screen.text, 'Stopping…')
})

t.test('prints what locald does between the lines of services', async t => {
  const { daemon, events, logs } = await project(t)
  const listens = new Promise<void>(resolve => daemon.whenAsked('/v1/events', resolve))
  const followed = daemon.run(['up', '--attach'])
  await listens
  const send = (event: LocaldEvent) => void events.at(-1)?.write(`${JSON.stringify(event)}\n`)
  const api = { path: '/home/me/shop', port: null, url: null } as const
  send(state('web'))
  send(
    state('web', {
      status: 'restarting',
      health: null,
      pid: null,
      reason: 'exited with code 1; restarting in 0.1 s (attempt 1 of 5)',
    }),
  )
  send(state('web', { status: 'starting', health: 'starting', pid: 77 }))
  send(state('web', { pid: 77 }))
  send(state('web', { status: 'restarting', health: null, pid: 77, reason: 'src/a.js changed' }))
  send(state('web', { status: 'starting', health: 'starting', pid: 77 }))
  send(state('web', { status: 'starting', health: 'starting', pid: 78 }))
  send(state('web', { pid: 78, health: 'unhealthy', reason: 'GET / answered 500' }))
  send({ event: 'warning', key: 'shop:web', message: 'it listens\x1b[2J on 5173', hint: 'use $PORT' })
  send({ event: 'warning', path: '/home/me/shop', message: 'shop: not applied:\nlocald.toml:3: no' })
  send({ event: 'warning', path: '/home/me/other', message: 'other: not applied' })
  send(state('web', { key: 'other:web', path: '/home/me/other', status: 'failed' }))
  const elsewhere = { status: 'starting', health: 'starting', pid: null } as const
  send(state('cache', { ...elsewhere, startedAt: '2026-01-01T00:00:00.000Z' }))
  send(state('cache', { ...elsewhere, startedAt: '2026-01-01T00:00:01.000Z' }))
  send({ event: 'removed', key: 'shop:cache' })
  const reopened = new Promise<void>(resolve => daemon.whenAsked('/v1/logs', resolve))
  send(state('batch', { ...api, status: 'waiting', reason: 'waiting for web' }))
  await reopened
  logs.at(-1)?.write(line('of the new stream'))
  send({ event: 'removed', key: 'shop:batch' })
  send(state('web', { status: 'failed', health: null, pid: null, reason: 'gave up after 5 crashes in 60 s' }))
  const { code, stdout, stderr } = await followed
  t.equal(code, 1, 'exits when its services stop')
  t.match(stdout, /^[\s\S]*web \| hello\nweb \| of the new stream\n$/)
  t.equal(
    stderr.slice(stderr.indexOf('locald |')),
    `locald | web exited with code 1; restarting in 0.1 s (attempt 1 of 5)
locald | web was started (pid 77)
locald | web is ready
locald | web is restarting: src/a.js changed
locald | web was started (pid 78)
locald | web is unhealthy: GET / answered 500
locald | warning: web: it listens on 5173 (use $PORT)
locald | warning: shop: not applied:
locald | locald.toml:3: no
locald | cache was started
locald | cache was removed
locald | batch is waiting for web
locald | batch was removed
locald | web failed: gave up after 5 crashes in 60 s
web failed: gave up after 5 crashes in 60 s
Error: service 'web' failed [SERVICE_FAILED]
Hint: Run \`locald why web\` or \`locald logs web\` for details.
`,
  )
})

t.test('signals without a terminal stop the project like keys', async t => {
  const { daemon } = await project(t)
  const seen = (route: string) => new Promise<void>(resolve => daemon.whenAsked(route, resolve))
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    const followed = seen('/v1/events')
    const ran = await daemon.run(['up', '--attach', 'web'], {
      started: child => void followed.then(() => child.kill(signal)),
    })
    t.match(ran, {
      code: 0,
      stdout: /web \| hello\nweb \| bye\n/,
      stderr: /Press Ctrl-C to stop the project\nStopping/,
    })
    t.same(daemon.last('/v1/projects/stop').body, { path: daemon.home, services: ['web'] })
  }
  daemon.on('POST /v1/projects/up', response => {
    response.write(`${JSON.stringify(state('db', { status: 'starting' }))}\n`)
  })
  const ran = await daemon.run(['up'], {
    started: child => child.stderr?.once('data', () => child.kill('SIGINT')),
  })
  t.match(ran, { code: 130, stdout: '', stderr: /db {7}starting\nStopping what was started/ })
  const { id } = Object(daemon.last('/v1/projects/up').body)
  t.same(daemon.last('/v1/projects/stop').body, { path: daemon.home, begunBy: id })
})

t.test('follows nothing when all services have exited', async t => {
  const { daemon } = await project(t)
  daemon.on('POST /v1/projects/up', stream(done(view('seed', { status: 'exited', reason: 'exited with code 0' }))))
  const screen = new Screen(t, daemon, ['up'])
  t.equal(await screen.ends(), 'code 0, restored')
  t.notOk(daemon.asked.some(asked => asked.path === '/v1/logs'))
})
