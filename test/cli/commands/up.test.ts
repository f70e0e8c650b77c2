import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { done, FakeDaemon, json, state, stream, view } from '../fake-daemon.ts'

t.test('up prints progress on stderr and a table on stdout', async t => {
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
    /\nBrowsers will warn until you run `locald trust`\nWithout TLS {2}http:\/\/web\.shop\.localhost:8080\n$/,
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

t.test('a failed up prints the last lines of each failed service and exits with 1', async t => {
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
Error: service 'web' failed [SERVICE_FAILED]
Hint: Run \`locald why web\` or \`locald logs web\` for details.
Still running: db. Run \`locald stop\` to stop it.
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
  const error = { code: 'CONFIG_INVALID', message: 'locald.toml has 2 problems', hint: 'Fix them.', problems }
  daemon.on('POST /v1/projects/up', json({ error }, 400))
  t.match(await daemon.run(['up']), {
    code: 2,
    stdout: '',
    stderr: `Error: locald.toml has 2 problems [CONFIG_INVALID]
  locald.toml:3: services.web.prot: unknown key 'prot' (did you mean 'port'?)
  /etc/x.toml: a cycle
Hint: Fix them.
`,
  })
  const asJson = await daemon.run(['up', '--json'])
  t.same([asJson.code, JSON.parse(asJson.stdout), asJson.stderr], [2, { error }, ''])
})
