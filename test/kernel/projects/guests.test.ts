// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these are references of locald, not of JavaScript.
import { once } from 'node:events'
import { createServer } from 'node:net'
import t, { type Test } from 'tap'
import type { ServiceType } from '../../../kernel/contract/plugin.ts'
import { type Guest, guestType } from '../../lib/guest.ts'
import { serviceOf, start, TestKernel, until } from './harness.ts'

const shell = { HOME: '/home/ann', TOKEN: 'of-the-shell', EDITOR: 'vi' }
const ofPlugins = [
  { name: 'LOCALD_URL', rank: 'override', value: () => 'http://shop.localhost' },
  { name: 'NODE_EXTRA_CA_CERTS', rank: 'fallback', value: () => '/home/ann/ca.pem' },
] as const

async function projectOf(t: Test, toml: string, { files = {}, types = [guestType()] }: ProjectSetting = {}) {
  const kernel = new TestKernel(t, types, [...ofPlugins])
  const folder = t.testdir({ 'locald.toml': `[project]\nname = "shop"\n${toml}`, ...files })
  return { kernel, project: await kernel.project(folder, shell) }
}

interface ProjectSetting {
  readonly files?: Readonly<Record<string, string>>
  readonly types?: readonly ServiceType<unknown>[]
}

t.test('the environment of a guest has nothing of the shell and of this machine', async t => {
  const { project } = await projectOf(
    t,
    `[env]\nLEVEL = "debug"\n[services.cache]\ntype = "guest"\ninside = 6379\nworkdir = "/srv"
env = { SECRET = "\${TOKEN}", OWN = "\${PORT}" }\n[services.job]\ntype = "guest"\nenv = { PORT = "7" }\n[services.web]\n`,
    { files: { '.env': 'FROM_FILE=1\n' } },
  )
  const plan = await project.prepare('cache')
  t.strictSame(plan.env, {
    LEVEL: 'debug',
    FROM_FILE: '1',
    SECRET: 'of-the-shell',
    OWN: '6379',
    PORT: '6379',
    LOCALD_URL: 'http://shop.localhost',
  })
  t.not(plan.port, 6379)
  t.equal(plan.dir, project.ref.path, 'its workdir is inside')
  t.match(serviceOf(project, 'cache').run(plan, new AbortController().signal), { workdir: '/srv', ports: {} })
  const job = await project.prepare('job')
  t.match(job, { env: { PORT: '7' }, port: undefined, ports: {} })
  t.strictSame(job.warnings, [])
  const web = await project.prepare('web')
  t.match(web.env, { EDITOR: 'vi', HOST: '127.0.0.1', NODE_EXTRA_CA_CERTS: '/home/ann/ca.pem', PORT: String(web.port) })
})

t.test('references lead where the service that has them reaches the other', async t => {
  const env = [
    ...['HOST', 'PORT', 'URL', 'PLACE'].map(name => `A_${name} = "\${services.api.${name.toLowerCase()}}"`),
    ...['HOST', 'PORT', 'URL', 'PLACE'].map(name => `C_${name} = "\${services.cache.${name.toLowerCase()}}"`),
    'C_MORE = "${services.cache.ports.9001} ${services.cache.ports.6379}"',
  ].join(', ')
  const { project } = await projectOf(
    t,
    `[services.api]\n[services.cache]\ntype = "guest"\ninside = 6379\nports = [9001]
[services.worker]\ntype = "guest"\nenv = { ${env} }\n[services.web]\nenv = { ${env} }\n`,
  )
  const api = (await project.prepare('api')).port
  const cache = await project.prepare('cache')
  const more = cache.ports[9001]
  t.match(more, Number)
  const web = await project.prepare('web')
  t.match(web.env, {
    ...{ A_HOST: '127.0.0.1', A_PORT: String(api), A_URL: `http://127.0.0.1:${api}`, A_PLACE: `api@127.0.0.1:${api}` },
    ...{ C_HOST: '127.0.0.1', C_PORT: String(cache.port), C_URL: `http://127.0.0.1:${cache.port}` },
    ...{ C_PLACE: `127.0.0.1:${cache.port}`, C_MORE: `${more} ${cache.port}` },
  })
  t.strictSame(web.hostPorts, [], 'a service of this machine needs no way to it')
  const worker = await project.prepare('worker')
  t.match(worker.env, {
    ...{ A_HOST: 'host.test', A_PORT: String(api), A_URL: `http://host.test:${api}`, A_PLACE: `api@host.test:${api}` },
    ...{ C_HOST: 'cache.inside', C_PORT: '6379', C_URL: 'http://cache.inside:6379', C_PLACE: 'cache.inside:6379' },
    C_MORE: '9001 6379',
  })
  t.strictSame(worker.hostPorts, [api], 'guests reach each other without this machine')
})

t.test('a guest that does not reach this machine has no address of its services', async t => {
  const { hostName: _, ...type } = guestType()
  const { project } = await projectOf(
    t,
    '[services.api]\n[services.worker]\ntype = "guest"\nenv = { A = "${services.api.url:-none}" }\n',
    { types: [type] },
  )
  t.match(await project.prepare('worker'), { env: { A: 'none' } })
})

t.test('a guest gets the ports of the services of this machine that it needs', async t => {
  const { kernel, project } = await projectOf(
    t,
    `[services.a]\n[services.b]\n[services.c]\n[services.d]\n[services.other]\n[services.cache]\ntype = "guest"\ninside = 1
[services.worker]\ntype = "guest"\ndepends_on = ["b", "cache"]\nenv = { A = "\${services.a.host}" }\n`,
    { files: { '.env': 'C=${services.c.url}\n' } },
  )
  kernel.hooks.env.tap('test', (env, { name }, { lookup, reach }) =>
    name === 'worker' ? { ...env, D: lookup('d', 'url') ?? '', REACH: reach } : env,
  )
  const plan = await project.prepare('worker')
  const ports = await Promise.all(['a', 'b', 'c', 'd'].map(async name => (await project.prepare(name)).port ?? 0))
  t.strictSame(
    plan.hostPorts,
    ports.sort((a, b) => a - b),
  )
  t.match(plan.env, { D: /^http:\/\/host\.test:/, REACH: 'guest' })
  const before = plan.fingerprint
  t.equal((await project.prepare('worker')).fingerprint, before)
  const moved = await kernel.ports.reassign(project.ref, 'b')
  await project.adoptPlan({ plan: project.plan }, project.shell)
  const after = await project.prepare('worker')
  t.ok(after.hostPorts.includes(moved))
  t.not(after.fingerprint, before, 'it restarts when what it depends on moves')
  t.equal((await project.prepare('cache')).hostPorts.length, 1, 'what the project itself refers to')
})

t.test('each further port has a lease of its own, claimed like the main port', async t => {
  const guests: Guest[] = []
  const { kernel, project } = await projectOf(
    t,
    '[services.store]\ntype = "guest"\ninside = 9000\nports = [9001, 9002]\n',
    {
      types: [guestType(guest => guests.push(guest))],
    },
  )
  const plan = await project.prepare('store')
  const ports = [plan.port, plan.ports[9001], plan.ports[9002]].map(Number)
  t.equal(new Set(ports).size, 3)
  t.strictSame(kernel.registry.get(project.ref.path)?.ports, {
    store: ports[0],
    'store:9001': ports[1],
    'store:9002': ports[2],
  })
  await start(project, 'store')
  const store = serviceOf(project, 'store')
  await until(store, ({ health }) => health === 'healthy')
  t.match(guests[0]?.run, { port: ports[0], ports: plan.ports })
  for (const port of ports) t.throws(() => kernel.ports.hold(port, 'shop:other'), { code: 'PORT_TAKEN' })
  await project.adoptPlan({ plan: project.plan }, project.shell)
  t.strictSame((await project.prepare('store')).ports, plan.ports, 'the same ones while it runs')
  await store.supervisor.stop()
  for (const port of ports) {
    kernel.ports.hold(port, 'shop:other')
    kernel.ports.release(port, 'shop:other')
  }
  const other = createServer().listen(ports[1], '127.0.0.1')
  await once(other, 'listening')
  t.teardown(() => other.close())
  await start(project, 'store')
  await until(store, ({ health }) => health === 'healthy')
  const moved = guests[1]?.run.ports
  t.equal(guests[1]?.run.port, ports[0], 'those that are free stay')
  t.equal(moved?.[9002], ports[2])
  t.not(moved?.[9001], ports[1])
  t.match(kernel.warnings, [
    `port ${ports[1]} of store (9001 inside) is in use by another process; using ${moved?.[9001]}`,
  ])
  t.equal(kernel.registry.port(project.ref.path, 'store:9001'), moved?.[9001])
})

t.test('a further port that is in use after a crash moves, and the main one stays', async t => {
  const guests: Guest[] = []
  const { kernel, project } = await projectOf(
    t,
    '[services.store]\ntype = "guest"\ninside = 9000\nports = [9001]\nrestart = "on-failure"\n',
    { types: [guestType(guest => guests.push(guest))] },
  )
  await start(project, 'store')
  const store = serviceOf(project, 'store')
  await until(store, ({ health }) => health === 'healthy')
  const first = guests[0]?.run.ports[9001]
  // The restart waits for the hook.
  kernel.hooks.gone.tapPromise('test', async () => {
    const other = createServer().listen(first, '127.0.0.1')
    await once(other, 'listening')
    t.teardown(() => other.close())
  })
  guests[0]?.exit({ code: 1, signal: null })
  await until(store, ({ restarts, health }) => restarts === 1 && health === 'healthy')
  t.not(guests[1]?.run.ports[9001], first)
  t.equal(guests[1]?.run.port, guests[0]?.run.port)
})
