import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { done, FakeDaemon, json, state, stream, view } from './fake-daemon.ts'

t.test('ping and server status', async t => {
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
  t.match((await daemon.run(['server', 'start'])).stdout, 'The daemon is running (pid 7)\n')
})

t.test('status', async t => {
  const daemon = await FakeDaemon.start(t)
  const services = [
    view('web'),
    view('db', {
      status: 'waiting',
      health: null,
      port: null,
      url: null,
      pid: null,
      startedAt: null,
      cpu: null,
      memory: null,
      reason: 'waiting for disk',
    }),
    view('007', { health: 'unhealthy', reason: 'GET /healthz answered 500', memory: 2_000_000_000 }),
    view('old', { status: 'stopped', health: null, pid: null, cpu: null, memory: null, reason: 'stopped by you' }),
  ]
  daemon.on('GET /v1/services', json({ services }))
  const ran = await daemon.run(['status'])
  t.equal(ran.code, 0)
  t.equal(
    ran.stdout.replace(/3m1\ds/g, '3m12s'),
    `NAME  STATUS   HEALTH     PORT  URL                         PID   UPTIME  CPU   MEM
web   Running  Healthy    3000  https://web.shop.localhost  4242  3m12s   1.3%  45.3M
db    Waiting  -          -     -                           -     -       -     -
  waiting for disk
007   Running  Unhealthy  3000  https://007.shop.localhost  4242  3m12s   1.3%  1.9G
  GET /healthz answered 500
old   Stopped  -          3000  https://old.shop.localhost  -     -       -     -
`,
  )
  t.same([...daemon.last('/v1/services').query], [['path', daemon.home]])
  t.same(JSON.parse((await daemon.run(['--json', 'status'])).stdout), { services })
  const all = await daemon.run(['status', '--all'])
  t.match(all.stdout, 'shop:web')
  t.equal(daemon.last('/v1/services').query.get('all'), 'true')
  t.match((await daemon.run(['status'], { env: { FORCE_COLOR: '1' } })).stdout, '\x1b[32mRunning\x1b[39m')
  t.notMatch((await daemon.run(['status'], { env: { FORCE_COLOR: '1', NO_COLOR: '1' } })).stdout, '\x1b')
})

t.test('up', async t => {
  const daemon = await FakeDaemon.start(t)
  const starting = state('web', { status: 'starting', health: 'starting', url: null })
  const events = [
    { event: 'project', project: 'shop', path: '/home/me/shop', domain: 'shop.localhost' },
    starting,
    starting,
    { event: 'step', key: 'shop:db', text: 'pulling redis', progress: { done: 1, total: 4 } },
    { event: 'step', key: 'shop:db', text: 'pulling redis', progress: { done: 2, total: 4 } },
    { event: 'warning', key: 'shop:web', message: 'it listens on 5173', hint: 'use $PORT' },
    state('web'),
    state('web', { cpu: 99 }),
    done(view('web'), view('db', { url: null, port: 5432 })),
  ]
  daemon.on('POST /v1/projects/up', stream(...events))
  const ran = await daemon.run(['up'])
  t.equal(ran.code, 0)
  t.equal(ran.stdout, 'NAME  STATUS  URL\nweb   ready   https://web.shop.localhost\ndb    ready   127.0.0.1:5432\n')
  t.equal(
    ran.stderr.replace(/\d\.\ds/, '0.1s'),
    `  web      starting
  db       starting   pulling redis 25%
  warning web: it listens on 5173 (use $PORT)
  web      ready      https://web.shop.localhost  0.1s
`,
  )
  t.match(daemon.last('/v1/projects/up').body, { path: daemon.home, env: { HOME: daemon.home } })
  t.notOk(Object.hasOwn(Object(daemon.last('/v1/projects/up').body), 'services'))
  t.match((await daemon.run(['up', '--verbose'])).stderr, /shop: \/home\/me\/shop[\s\S]*25%[\s\S]*50%/)

  t.comment('URLs that browsers warn about')
  const store = { plugin: 'https', id: 'trust-system', severity: 'optional', summary: '', fix: null }
  daemon
    .on('GET /v1/doctor', json({ ok: true, checks: [{ ...store, status: 'warn' }], fixes: [], commands: [] }))
    .on('GET /v1/server', json({ http: 8080 }))
  const warned = await daemon.run(['up'])
  t.equal(warned.stdout, ran.stdout)
  t.match(
    warned.stderr,
    /\nBrowsers will warn until `locald trust`; http:\/\/web\.shop\.localhost:8080 works without\n$/,
  )
  t.same(daemon.last('/v1/doctor').query.getAll('check'), ['trust-system', 'trust-chromium', 'trust-firefox'])
  daemon.on('GET /v1/doctor', json({ ok: true, checks: [{ ...store, status: 'pass' }], fixes: [], commands: [] }))
  t.equal((await daemon.run(['up'])).stderr.includes('Browsers'), false)

  t.comment('a folder or a service')
  mkdirSync(join(daemon.home, '007'))
  await daemon.run(['up', '007', '08', '--detach', '1e3'])
  t.match(daemon.last('/v1/projects/up').body, { path: join(daemon.home, '007'), services: ['08', '1e3'] })
  await daemon.run(['up', '08', '007', '--', 'web'])
  t.match(daemon.last('/v1/projects/up').body, { path: daemon.home, services: ['08', '007', 'web'] })

  t.comment('json')
  const asJson = await daemon.run(['up', '--json'])
  t.same(
    asJson.stdout
      .trimEnd()
      .split('\n')
      .map(line => JSON.parse(line)),
    JSON.parse(JSON.stringify(events)),
  )
  t.equal(asJson.stderr, '')
})

t.test('up that fails', async t => {
  const daemon = await FakeDaemon.start(t)
  const failed = view('web', {
    status: 'failed',
    health: null,
    pid: null,
    url: null,
    reason: 'exited with code 1 after 0.3 s',
  })
  const tails = { 'shop:web': ['> vite', '\x1b[31mEADDRINUSE\x1b[39m'] }
  daemon.on(
    'POST /v1/projects/up',
    stream(
      state('web', { status: 'starting' }),
      { event: 'service', service: failed },
      { event: 'done', ok: false, services: [failed, view('db')], tails },
    ),
  )
  t.match(await daemon.run(['up']), {
    code: 1,
    stdout: '',
    stderr: `  web      starting
  web      failed     exited with code 1 after 0.3 s
web failed: exited with code 1 after 0.3 s
  | > vite
  | EADDRINUSE
Error: failed: web [SERVICE_FAILED]
Hint: \`locald why web\` and \`locald logs web\` tell more.
Still running: db. \`locald stop\` stops them.
`,
  })
  t.equal((await daemon.run(['up', '--json'])).code, 1)

  const problems = [
    {
      message: "unknown key 'prot'",
      file: join(daemon.home, 'locald.toml'),
      line: 3,
      key: 'services.web.prot',
      hint: "did you mean 'port'?",
    },
    { message: 'a cycle', file: '/etc/x.toml' },
  ]
  const error = { code: 'CONFIG_INVALID', message: 'locald.toml has 2 problems', hint: 'Mend them.', problems }
  daemon.on('POST /v1/projects/up', json({ error }, 400))
  t.match(await daemon.run(['up']), {
    code: 2,
    stdout: '',
    stderr: `Error: locald.toml has 2 problems [CONFIG_INVALID]
  locald.toml:3: services.web.prot: unknown key 'prot' (did you mean 'port'?)
  /etc/x.toml: a cycle
Hint: Mend them.
`,
  })
  const asJson = await daemon.run(['up', '--json'])
  t.same([asJson.code, JSON.parse(asJson.stdout), asJson.stderr], [2, { error }, ''])
})

t.test("a plugin's command", async t => {
  const daemon = await FakeDaemon.start(t)
  daemon.on('POST /v1/commands/redis', json({ exitCode: 3, text: 'no such key', data: { found: false } }))
  t.match(await daemon.run(['--sandbox', 'a', 'redis', 'get', '--raw', '-n', '2', '--', '--json']), {
    code: 3,
    stdout: '',
    stderr: 'no such key\n',
  })
  t.match(daemon.last('/v1/commands/redis').body, {
    argv: ['get', '--raw', '-n', '2', '--', '--json'],
    cwd: daemon.home,
  })
  t.match(await daemon.run(['redis', '--json']), { code: 3, stdout: '{"found":false}\n' })
  const steps = [{ act: 'trust', domain: 'user', certificate: 'a CA' }]
  daemon.on('POST /v1/commands/redis', json({ exitCode: 0, text: 'done', steps }))
  const before = daemon.asked.length
  t.match(await daemon.run(['redis']), { code: 0, stdout: 'done\n', stderr: '' }, 'it gets no dialog of the keychain')
  t.equal(daemon.asked.length, before + 1)
  daemon.on('POST /v1/commands/trust', json({ exitCode: 1, text: 'not yet', steps }))
  t.match(await daemon.run(['trust']), {
    code: 1,
    stderr: /^macOS asks for your password or Touch ID now.*\nnot yet\n$/,
  })
  const outcomes = [{ ...steps[0], status: null, says: /locald-keychain/ }]
  t.match(daemon.last('/v1/commands/trust').body, { argv: [], outcomes }, 'asked once more, and no third time')
  t.equal(daemon.asked.length, before + 3)
  const asked = daemon.asked.length
  t.match(await daemon.run(['trust', '--help']), {
    code: 0,
    stdout: /^Trust the local CA[\s\S]*\$ locald trust \[--system\] /,
  })
  t.equal((await daemon.run(['redis', '-h'])).code, 2)
  t.equal(daemon.asked.length, asked, 'a command is not run for its help')
  const error = { code: 'UNKNOWN_COMMAND', message: "unknown command 'statsu'" }
  daemon.on('POST /v1/commands/statsu', json({ error }, 400))
  const unknown = await daemon.run(['statsu'])
  t.equal(unknown.code, 2)
  t.match(unknown.stderr, /Did you mean 'status'/)
})

t.test('stop, restart, wait', async t => {
  const daemon = await FakeDaemon.start(t)
  const stopped = [state('web', { status: 'stopping' }), state('web', { status: 'stopped' })]
  daemon.on('POST /v1/projects/stop', stream(...stopped, done(view('web', { status: 'stopped' }))))
  t.match(await daemon.run(['stop', '007']), { code: 0, stdout: 'Stopped web\n' })
  t.same(daemon.last('/v1/projects/stop').body, { path: daemon.home, services: ['007'] })
  daemon.on('POST /v1/projects/stop', stream(done()))
  t.match(await daemon.run(['stop', '--all']), { code: 0, stdout: 'Nothing was running\n', stderr: '' })
  t.same(daemon.last('/v1/projects/stop').body, { path: daemon.home, all: true })
  const unknown = { code: 'UNKNOWN_SERVICE', message: "there is no service 'wbe'", hint: "Did you mean 'web'?" }
  daemon.on('POST /v1/projects/stop', json({ error: unknown }, 404))
  const ran = await daemon.run(['stop', 'wbe'])
  t.match(ran, { code: 2, stderr: "Error: there is no service 'wbe' [UNKNOWN_SERVICE]\nHint: Did you mean 'web'?\n" })

  daemon.on('POST /v1/projects/restart', stream(done(view('web'))))
  t.equal((await daemon.run(['restart', 'web', '--dependents'])).code, 0)
  t.match(daemon.last('/v1/projects/restart').body, { path: daemon.home, services: ['web'], dependents: true, env: {} })

  daemon.on('POST /v1/services/wait', stream(done(view('web'))))
  t.equal((await daemon.run(['wait'])).code, 0)
  t.same(daemon.last('/v1/services/wait').body, { path: daemon.home, timeoutMs: 60_000 })
  const late = { code: 'WAIT_TIMEOUT', message: 'not ready in 1.5 s: db', hint: '`locald why db`' }
  daemon.on('POST /v1/services/wait', stream({ event: 'done', ok: false, services: [], error: late }))
  t.match(await daemon.run(['wait', 'db', '--timeout', '1.5']), {
    code: 124,
    stderr: 'Error: not ready in 1.5 s: db [WAIT_TIMEOUT]\nHint: `locald why db`\n',
  })
  t.same(daemon.last('/v1/services/wait').body, { path: daemon.home, services: ['db'], timeoutMs: 1500 })
  daemon.on('POST /v1/services/wait', stream({ event: 'done', ok: false, services: [] }))
  t.equal((await daemon.run(['wait'])).code, 1)
})

t.test('why, open, config, plugins, ai', async t => {
  const daemon = await FakeDaemon.start(t)
  const because = ['web waits for db', 'db: connection refused on 127.0.0.1:5432, 3 tries']
  daemon.on('GET /v1/services/keys', json({ keys: ['shop:007'] }))
  daemon.on('GET /v1/services/why', json({ key: 'shop:web', text: 'web is waiting for db', because }))
  t.equal((await daemon.run(['why', '007'])).stdout, `web is waiting for db\n  ${because[0]}\n  ${because[1]}\n`)
  t.equal(daemon.last('/v1/services/keys').query.get('service'), '007')
  t.equal(daemon.last('/v1/services/why').query.get('service'), 'shop:007')
  t.match(JSON.parse((await daemon.run(['why', 'web', '--json'])).stdout), { because })
  daemon.on('GET /v1/services/keys', json({ keys: ['shop:web', 'shop:db'] }))
  daemon.on('GET /v1/services/why', (response, { query }) => {
    response.end(JSON.stringify({ key: '', text: `${query.get('service')} is well`, because: [] }))
  })
  t.equal((await daemon.run(['why', 'shop'])).stdout, 'shop:web is well\nshop:db is well\n', 'all of a project')
  t.equal((await daemon.run(['why', 'shop', '--json'])).stdout.split('\n').length, 3, 'one object a line')

  const url = 'https://shop.localhost'
  const opened = join(daemon.home, 'opened')
  daemon.on(
    'GET /v1/services/open',
    json({ url, argv: ['sh', '-c', 'echo "$0" > "$1".part && mv "$1".part "$1"', url, opened] }),
  )
  t.match(await daemon.run(['open']), { code: 0, stdout: `${url}\n`, stderr: '' })
  t.equal(daemon.last('/v1/services/open').query.has('service'), false)
  const limit = Date.now() + 10_000
  while (!readdirSync(daemon.home).includes('opened') && Date.now() < limit)
    await new Promise(resolve => setTimeout(resolve, 20))
  t.equal(readFileSync(opened, 'utf8'), `${url}\n`)
  daemon.on('GET /v1/services/open', json({ url, argv: null, hint: 'There is no display.' }))
  t.match(await daemon.run(['open', 'web']), { code: 0, stdout: `${url}\n`, stderr: 'Hint: There is no display.\n' })
  daemon.on('GET /v1/services/open', json({ url, argv: ['/none/xdg-open', url] }))
  t.match(await daemon.run(['open', 'web']), { code: 1, stdout: `${url}\n`, stderr: /\[SPAWN_FAILED\]/ })

  const values = [
    { key: 'project.name', value: 'shop', file: null, line: null },
    {
      key: 'services.web.env',
      value: { A: 'x "y"', 'B C': [1, true] },
      file: join(daemon.home, 'locald.toml'),
      line: 4,
    },
  ]
  daemon.on('POST /v1/config', json({ project: 'shop', path: daemon.home, values }))
  t.match(await daemon.run(['config', 'check']), { code: 0, stdout: 'locald.toml is valid\n' })
  t.equal(
    (await daemon.run(['config', 'show'])).stdout,
    'project.name = "shop"\nservices.web.env = { A = "x \\"y\\"", "B C" = [1, true] }\n',
  )
  t.match((await daemon.run(['config', 'show', '--provenance'])).stdout, /"shop" {2}# default\n.* {2}# locald.toml:4\n/)
  t.match(JSON.parse((await daemon.run(['config', 'show', '--json'])).stdout), { project: 'shop', values })

  const plugin = {
    name: 'proxy',
    version: '1.0.0',
    from: 'built-in',
    state: 'active',
    reason: null,
    types: [],
    features: ['vm'],
    commands: ['a', 'b'],
    setupMs: 1.25,
  }
  const broken = {
    ...plugin,
    name: 'x',
    state: 'broken',
    reason: 'it threw: no',
    features: [],
    commands: [],
    setupMs: null,
  }
  daemon.on('GET /v1/plugins', json({ plugins: [plugin, broken] }))
  t.equal(
    (await daemon.run(['plugins', 'list'])).stdout,
    `NAME   VERSION  FROM      STATE   PROVIDES
proxy  1.0.0    built-in  active  features: vm; commands: a, b
x      1.0.0    built-in  broken  -
  it threw: no
`,
  )
  t.match((await daemon.run(['plugins', 'list', '--timing'])).stdout, /SETUP[\s\S]*1\.3 ms/)
  t.same(JSON.parse((await daemon.run(['plugins', 'list', '--json'])).stdout), { plugins: [plugin, broken] })
  daemon.on('GET /v1/schema', json({ type: 'object' }))
  t.same(JSON.parse((await daemon.run(['ai', 'schema'])).stdout), { type: 'object' })
})

t.test('a daemon of another version is reported, with the way to restart it', async t => {
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
  t.comment('what its API does not have')
  const error = { code: 'REQUEST_INVALID', message: 'route not found: GET /v1/services/why' }
  daemon.on('GET /v1/services/keys', json({ keys: ['shop:web'] }))
  daemon.on('GET /v1/services/why', json({ error }, 404))
  t.match((await daemon.run(['why', 'web'])).stderr, /REQUEST_INVALID\]\nHint: .*`locald server restart`/)
})

t.test('doctor', async t => {
  const daemon = await FakeDaemon.start(t)
  const check = (plugin: string, id: string, status: string, severity = 'important') => ({
    plugin,
    id,
    severity,
    status,
    summary: `${id} is so`,
    fix: null,
  })
  const checks = [
    check('a', 'one', 'pass'),
    check('b', 'two', 'warn'),
    check('a', 'three', 'fail'),
    check('b', 'four', 'skip'),
  ]
  daemon.on('GET /v1/doctor', json({ ok: true, checks, fixes: ['sudo apt install x'] }))
  t.match(await daemon.run(['doctor']), {
    code: 0,
    stdout: `b
  warn  two: two is so (important)

a
  fail  three: three is so (important)

4 checks: 1 passed, 1 with a warning, 1 failed, 1 skipped

To fix:
  sudo apt install x
`,
  })
  t.match((await daemon.run(['doctor', '--verbose'])).stdout, / {2}pass {2}one: one is so\n/)
  daemon.on('GET /v1/doctor', json({ ok: false, checks: [check('a', 'five', 'fail', 'critical')], fixes: [] }))
  t.equal((await daemon.run(['doctor', '--json'])).code, 1)
  const commands = [
    { command: 'echo mended; exit 3', root: false },
    { command: 'sudo touch never', root: true },
    { command: 'locald ping', root: false },
  ]
  daemon.on('GET /v1/doctor', json({ ok: true, checks: [], fixes: ['Run `a`.'], commands }))
  daemon.on('GET /v1/ping', json({ pong: true, pid: 1 }))
  t.notMatch((await daemon.run(['doctor'])).stderr, /Running/, 'nothing is done unasked')
  const fixed = await daemon.run(['doctor', '--fix', '--json'])
  t.match(fixed, { code: 0, stderr: /Running: echo mended; exit 3\nmended\nRunning: locald ping\nPong\n/ })
  t.notMatch(fixed.stderr, /never/, 'what needs root is left to the person')
  const ran = [
    { command: 'echo mended; exit 3', exitCode: 3 },
    { command: 'locald ping', exitCode: 0 },
  ]
  t.match(JSON.parse(fixed.stdout), { fixes: ['Run `a`.'], ran })
})

t.test('a daemon that breaks', async t => {
  const daemon = await FakeDaemon.start(t)
  daemon.on('POST /v1/projects/up', response => {
    response.write(`${JSON.stringify(state('web', { status: 'starting' }))}\n`)
    setTimeout(() => response.destroy(), 50)
  })
  const ran = await daemon.run(['up'])
  t.equal(ran.code, 1)
  t.match(
    ran.stderr,
    /\nError: the daemon ended while starting the project \[DAEMON_UNREACHABLE\]\nHint: Services keep running/,
  )
  daemon.on('POST /v1/projects/stop', stream(state('web', { status: 'stopping' })))
  t.match((await daemon.run(['stop'])).stderr, 'the daemon ended while stopping services')
  daemon.on('GET /v1/ping', response => response.destroy())
  t.match(await daemon.run(['ping']), { code: 1, stderr: /the daemon ended while it was asked \[DAEMON_UNREACHABLE\]/ })
  daemon.on('GET /v1/ping', response => response.writeHead(500, { 'content-length': 5 }).end('oops\n'))
  t.match((await daemon.run(['ping'])).stderr, 'the daemon answered with status 500')

  t.comment('a bug: what is no status answer')
  daemon.on('GET /v1/services', json({}))
  const bug = await daemon.run(['status'])
  t.equal(bug.code, 1)
  const [, file = ''] =
    /^Error: a bug of locald: .* \[INTERNAL\]\nHint: Please report it with (\S+)\n$/.exec(bug.stderr) ?? []
  t.match(file, join(daemon.home, 'data', 'locald', 'crashes'))
  t.match(readFileSync(file, 'utf8'), /^locald \S+, node v[\s\S]*TypeError[\s\S]*at /)
  t.notMatch(readFileSync(file, 'utf8'), 'XDG_DATA_HOME')
})
