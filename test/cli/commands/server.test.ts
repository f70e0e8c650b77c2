import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { FakeDaemon, json } from '../fake-daemon.ts'

t.test('ping and server status print what the daemon answers', async t => {
  const daemon = await FakeDaemon.start(t)
  const status = {
    pid: 7,
    socket: daemon.socket,
    http: 8080,
    https: null,
    version: '1.2.3',
    startedAt: '2026-01-01T00:00:00Z',
  }
  daemon.on('GET /v1/ping', json({ pong: true, pid: 7, version: '1.2.3' })).on('GET /v1/server', json(status))
  t.match(await daemon.run(['ping']), { code: 0, stdout: 'Pong\n', stderr: '' })
  t.same(JSON.parse((await daemon.run(['ping', '--json'])).stdout), { pong: true, pid: 7, version: '1.2.3' })
  t.match((await daemon.run(['server', 'status'])).stdout, /^pid +7\nsocket +\S+\nhttp +8080\nhttps +-\n/)
  t.same(JSON.parse((await daemon.run(['server', 'status', '--json'])).stdout), status)
  t.match((await daemon.run(['server', 'start'])).stdout, 'Daemon is running (pid 7)\n')
})

t.test('warns of a daemon of another version, with the command that restarts it', async t => {
  const daemon = await FakeDaemon.start(t)
  const data = join(daemon.home, 'data', 'locald')
  mkdirSync(data, { recursive: true })
  const place = { pid: 1, version: '0.0.1', runtime: daemon.home, socket: daemon.socket }
  writeFileSync(join(data, 'daemon.json'), JSON.stringify(place))
  daemon.on('GET /v1/services', json({ services: [] })).on('GET /v1/server', json({ pid: 1, version: '0.0.1' }))
  const warning =
    /^Warning: the daemon is locald 0\.0\.1, this command is locald .*\nHint: Run `locald server restart`; /
  t.match(await daemon.run(['status']), { code: 0, stderr: warning })
  t.match(await daemon.run(['status', '--json']), { code: 0, stdout: '{"services":[]}\n' })
  daemon.on('GET /v1/doctor', json({ ok: true, checks: [], fixes: [], commands: [] }))
  t.match(await daemon.run(['doctor', '--json']), {
    code: 0,
    stderr: '',
    stdout: /"id":"daemon-version".*server restart/,
  })
  t.comment('a route that its API does not have')
  const error = { code: 'REQUEST_INVALID', message: 'route not found: GET /v1/services/why' }
  daemon.on('GET /v1/services/keys', json({ keys: ['shop:web'] }))
  daemon.on('GET /v1/services/why', json({ error }, 404))
  t.match((await daemon.run(['why', 'web'])).stderr, /REQUEST_INVALID\]\nHint: .*`locald server restart`/)
})

t.test('a wrong command line or variable stops no daemon', async t => {
  const daemon = await FakeDaemon.start(t)
  daemon.on('GET /v1/ping', json({ pong: true, pid: 7, version: '1.2.3' }))
  const port = await daemon.run(['server', 'restart'], { env: { LOCALD_HTTP_PORT: 'abc' } })
  t.match(port, { code: 2, stderr: /LOCALD_HTTP_PORT 'abc' is not a port \[USAGE\]\nHint: .*LOCALD_HTTP_PORT=8080/ })
  const limit = await daemon.run(['server', 'restart'], { env: { LOCALD_START_TIMEOUT: 'soon' } })
  t.match(limit, { code: 2, stderr: /LOCALD_START_TIMEOUT 'soon' .*\nHint: .*LOCALD_START_TIMEOUT=30/ })
  const pid = await daemon.run(['server', 'shutdown', '--pid', 'abc'])
  t.match(pid, { code: 2, stderr: /--pid 'abc' is not a whole number \[USAGE\]/ })
  // `ExecStop=` of a unit whose daemon has exited: `--pid=${MAINPID}`.
  t.match(await daemon.run(['server', 'shutdown', '--pid=']), { code: 0 })
  t.match(await daemon.run(['server', 'shutdown', '--pid', '8']), {
    code: 0,
    stdout: 'No daemon with pid 8 is running\n',
  })
  t.notOk(daemon.asked.some(({ path }) => path === '/v1/server/shutdown'))
})
