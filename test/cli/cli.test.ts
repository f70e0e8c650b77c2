import { mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { done, FakeDaemon, folder, json, locald, state, stream, view } from './fake.ts'

t.test('words', async t => {
  const home = folder(t)
  const cases: readonly [words: string, message: string, hint: RegExp][] = [
    ['statsu', "unknown command 'statsu' [UNKNOWN_COMMAND]", /^Did you mean 'status'\? /],
    ['plugin', "unknown command 'plugin' [UNKNOWN_COMMAND]", /^Did you mean 'plugins'\? /],
    [
      'nothing-like-it',
      "unknown command 'nothing-like-it' [UNKNOWN_COMMAND]",
      /^`locald --help` lists the commands\.$/,
    ],
    ['server', "'server' needs one more word [UNKNOWN_COMMAND]", /`locald server shutdown`/],
    ['server strat', "unknown command 'server strat' [UNKNOWN_COMMAND]", /^Did you mean 'start'\? /],
    ['status --al', "unknown flag --al of 'locald status' [USAGE]", /^Did you mean '--all'\? /],
    ['status -x', "unknown flag -x of 'locald status' [USAGE]", /`locald status --help`/],
    ['logs -fx', "unknown flag -x of 'locald logs' [USAGE]", /`locald logs --help`/],
    ['--sandbx a status', "unknown command 'a' [UNKNOWN_COMMAND]", /./],
    ['ping extra', "'locald ping' takes no word 'extra' here [USAGE]", /^Usage: `locald ping`\./],
    ['open a b', "'locald open' takes no word 'b' here [USAGE]", /\[SERVICE\]/],
    ['why', "'locald why' needs <SERVICE> [USAGE]", /./],
    ['run web', "'locald run' needs a command after -- [USAGE]", /<SERVICE> -- <CMD…>/],
    ['run web --', "'locald run' needs a command after -- [USAGE]", /./],
    ['run -- env', "'locald run' needs <SERVICE> -- <CMD…> [USAGE]", /./],
    ['logs -n', '-n needs a value: -n N [USAGE]', /./],
    ['logs --since --json', '--since needs a value: --since WHEN [USAGE]', /./],
    ['logs -n 1e3', "-n '1e3' is not a whole number [USAGE]", /./],
    ['logs --since yesterday', "--since 'yesterday' is neither a duration nor a time [USAGE]", /10s/],
    ['logs --grep (', '--grep: Invalid regular expression', /./],
    ['wait --timeout soon', "--timeout 'soon' is not a number of seconds [USAGE]", /./],
    ['up --detach=1', '--detach takes no value [USAGE]', /./],
    ['up --attach --detach', '--attach and --detach exclude each other [USAGE]', /./],
    ['up ./none', 'there is no folder ./none [USAGE]', /./],
    ['status --sandbox Not_a_name', "'Not_a_name' is no sandbox name [USAGE]", /./],
  ]
  for (const [words, message, hint] of cases) {
    t.test(words, async t => {
      const ran = await locald(words.split(' '), { home })
      const isJson = words.includes('--json')
      const [first = '', second = '', ...more] = (isJson ? ran.stdout : ran.stderr).trimEnd().split('\n')
      t.equal(ran.code, 2)
      if (isJson) {
        t.match(JSON.parse(first), { error: { code: 'USAGE', message: message.replace(' [USAGE]', '') } })
        return
      }
      t.ok(first.startsWith(`Error: ${message}`), first)
      t.match(second.replace('Hint: ', ''), hint)
      t.same([more, ran.stdout], [[], ''])
    })
  }
  t.test('nothing was started or written', async t => t.same(readdirSync(home), ['run']))
})

t.test('help and version', async t => {
  const home = folder(t)
  const alone = await locald([], { home })
  t.equal(alone.code, 0)
  t.match(alone.stdout, /Commands:\n {2}up \[PATH\] \[SERVICE…\] {5}Start/)
  t.equal((await locald(['--help'], { home })).stdout, alone.stdout)
  t.equal((await locald(['help'], { home })).stdout, alone.stdout)
  const up = await locald(['up', '--help'], { home })
  t.match(up.stdout, /--detach .*\n[\s\S]*Examples:\n {2}\$ locald up\n/)
  t.equal((await locald(['help', 'up'], { home })).stdout, up.stdout)
  t.match((await locald(['run', '-h'], { home })).stdout, 'locald run <SERVICE> -- <CMD…>')
  const server = await locald(['server', '--help'], { home })
  t.match(server.stdout, 'server restart')
  t.notMatch(server.stdout, 'ping')
  t.match((await locald(['--version'], { home })).stdout, /^locald \d+\.\d+\.\d+\n$/)
})

t.test('no daemon', async t => {
  const home = folder(t)
  const none =
    'Error: no daemon is running [DAEMON_UNREACHABLE]\nHint: `locald up` starts it, and so does `locald server start`.\n'
  for (const words of ['ping', 'server status']) {
    t.match(await locald(words.split(' '), { home }), { code: 1, stdout: '', stderr: none })
  }
  const asJson = await locald(['ping', '--json'], { home })
  t.match(JSON.parse(asJson.stdout), { error: { code: 'DAEMON_UNREACHABLE', message: 'no daemon is running' } })
  t.match(await locald(['server', 'shutdown'], { home }), {
    code: 0,
    stdout: 'The daemon is not running\n',
    stderr: '',
  })
  t.match(await locald(['stop'], { home }), { code: 0, stdout: 'Nothing is running\n', stderr: '' })
  const heading = 'NAME  STATUS  HEALTH  PORT  URL  PID  UPTIME  CPU  MEM\n'
  t.match(await locald(['status'], { home }), { code: 0, stdout: heading, stderr: '' })
  t.match(await locald(['status', '--json'], { home }), { code: 0, stdout: '{"services":[]}\n' })

  const missing = await locald(['up'], { home })
  t.equal(missing.code, 1)
  t.match(
    missing.stderr,
    /^Error: .*locald-keeper is missing or cannot be run \[KEEPER_MISSING\]\nHint: Run `npm run build` in /,
  )
  const doctor = await locald(['doctor', '--json'], { home })
  t.equal(doctor.code, 1)
  t.match(JSON.parse(doctor.stdout), {
    ok: false,
    checks: [{ plugin: 'kernel', severity: 'critical', status: 'fail' }],
  })

  t.comment('services that a killed daemon left')
  mkdirSync(join(home, 'run', 'locald', 'services', 'shop.web'), { recursive: true })
  t.match((await locald(['status'], { home })).stderr, '[KEEPER_MISSING]')
  t.match((await locald(['stop'], { home })).stderr, '[KEEPER_MISSING]')
})

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
  daemon.on('GET /v1/services/why', json({ key: 'shop:web', text: 'web is waiting for db', because }))
  t.equal((await daemon.run(['why', '007'])).stdout, `web is waiting for db\n  ${because[0]}\n  ${because[1]}\n`)
  t.equal(daemon.last('/v1/services/why').query.get('service'), '007')
  t.match(JSON.parse((await daemon.run(['why', 'web', '--json'])).stdout), { because })

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

To mend it:
  sudo apt install x
`,
  })
  t.match((await daemon.run(['doctor', '--verbose'])).stdout, / {2}pass {2}one: one is so\n/)
  daemon.on('GET /v1/doctor', json({ ok: false, checks: [check('a', 'five', 'fail', 'critical')], fixes: [] }))
  t.equal((await daemon.run(['doctor', '--json'])).code, 1)
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
