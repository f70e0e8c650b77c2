import t from 'tap'
import { FakeDaemon, json, view } from '../fake-daemon.ts'

t.test('prints a table of services, with the reason where one is not as expected', async t => {
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
  stopped by you
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

t.test('leaves out hidden services unless they failed or are named, or with --all', async t => {
  const daemon = await FakeDaemon.start(t)
  const hidden = { hidden: true } as const
  const services = [
    view('seed', { ...hidden, status: 'exited', health: null }),
    view('bad', { ...hidden, status: 'failed', health: null, reason: 'exited with code 3' }),
  ]
  daemon.on('GET /v1/services', json({ services }))
  const names = async (...args: string[]) =>
    (await daemon.run(['status', ...args])).stdout
      .split('\n')
      .slice(1)
      .flatMap(line => /^[a-z:]+(?= )/.exec(line) ?? [])
  t.same(await names(), ['bad'])
  t.same(await names('seed'), ['seed', 'bad'])
  t.same(await names('shop:seed'), ['seed', 'bad'])
  t.same(await names('--all'), ['shop:seed', 'shop:bad'])
  t.same(JSON.parse((await daemon.run(['status', '--json'])).stdout), { services })
  daemon.on('GET /v1/services', json({ services: services.slice(0, 1) }))
  t.equal((await daemon.run(['status'])).stdout, 'All services are hidden. Run `locald status --all` to show them.\n')
})

t.test('names the known project of a folder, whose services the daemon has not loaded', async t => {
  const daemon = await FakeDaemon.start(t)
  const projects = [{ name: 'shop', path: daemon.home, domain: 'shop.localhost', pinned: false, exists: true }]
  daemon.on('GET /v1/services', json({ services: [] })).on('GET /v1/registry', json({ projects }))
  t.equal((await daemon.run(['status'])).stdout, 'Project shop is not running. Run `locald up` to start it.\n')
  daemon.on('GET /v1/registry', json({ projects: [] }))
  t.match((await daemon.run(['status'])).stdout, /^No known project in this folder\. Run `locald up`/)
})

t.test('shows with --all what is current, and says how many services are not shown', async t => {
  const daemon = await FakeDaemon.start(t)
  const over = { status: 'stopped', health: null, pid: null, cpu: null, memory: null } as const
  const by = (startedBy: string | null) => ({ startedBy, leases: [] })
  const services = [
    { ...view('web'), ...by('you') },
    { ...view('api', { ...over, status: 'failed', reason: 'exited with code 3' }), ...by(null) },
    { ...view('docs', { ...over, asleep: true }), ...by(null) },
    { ...view('migrate', { ...over, status: 'exited' }), ...by('you') },
    { ...view('old', over), ...by(null) },
    { ...view('older', { ...over, status: 'exited' }), ...by(null) },
  ]
  daemon.on('GET /v1/services', json({ services }))
  const names = (text: string) => [...text.matchAll(/^shop:(\S+)/gm)].map(([, name]) => name)
  const all = await daemon.run(['status', '-a'])
  t.same(names(all.stdout), ['web', 'api', 'docs', 'migrate'])
  t.equal(all.stderr, '2 stopped services are not shown; see `locald status --known`\n')
  const parsed = await daemon.run(['status', '--all', '--json'])
  t.same(JSON.parse(parsed.stdout), { services: services.slice(0, 4) })
  t.equal(parsed.stderr, all.stderr)

  const known = await daemon.run(['status', '--known'])
  t.same(names(known.stdout), ['web', 'api', 'docs', 'migrate', 'old', 'older'])
  t.equal(known.stderr, '')
  t.equal(daemon.last('/v1/services').query.get('all'), 'true')
  t.same(JSON.parse((await daemon.run(['status', '--known', '--json'])).stdout), { services })

  daemon.on('GET /v1/services', json({ services: services.slice(4, 5) }))
  const none = await daemon.run(['status', '--all'])
  t.equal(none.stdout, 'Nothing is running; 1 stopped service is not shown; see `locald status --known`\n')
  t.equal(none.stderr, '')
})

t.test('asks for named services, and says what to run without a daemon', async t => {
  const daemon = await FakeDaemon.start(t)
  daemon.on('GET /v1/services', json({ services: [view('web'), view('api')] }))
  t.match((await daemon.run(['status', 'web', 'shop:api'])).stdout, /^web .*\napi /m)
  t.same(daemon.last('/v1/services').query.getAll('service'), ['web', 'shop:api'])
  daemon.stop()
  for (const args of [[], ['web'], ['--all'], ['--known']]) {
    const ran = await daemon.run(['status', ...args])
    t.match(ran, { code: 0, stdout: 'Nothing is running. Run `locald up` in the folder of a project.\n' })
  }
})
