import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect } from 'node:net'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { isAnswered, type ProcessTable } from '../../../kernel/contract/plugin.ts'
import { isFree, Ports } from '../../../kernel/registry/ports.ts'
import { Registry } from '../../../kernel/registry/registry.ts'
import { folder } from '../../lib/log-model.ts'
import { listen } from '../../lib/ports.ts'
import { project, quiet, ref } from './projects.ts'

/** A machine's worth of ports: a registry with some projects. */
function leases(t: Test, log = quiet) {
  const dir = folder(t)
  const registry = new Registry(join(dir, 'data'), log)
  const holder: Partial<ProcessTable> = { holder: async port => `python3 (pid ${port})` }
  const ports = new Ports(registry, { table: () => holder as ProcessTable, own: () => undefined })
  const known = (name: string) => registry.identify(ref(project(dir, name), name), [])
  return { dir, registry, ports, known }
}

const assigned = (service: string) => ({ service, fixed: undefined })

t.test('leases each service the same port at every start, and a different one from all others', async t => {
  const { dir, ports, known } = leases(t)
  const [a, b] = [known('a'), known('b')]
  const first = await ports.lease(a, [assigned('web'), assigned('api'), { service: 'old', fixed: 3000 }])
  const [web = 0, api = 0] = [first.get('web'), first.get('api')]
  t.ok(web >= 20_000 && web < 30_000 && api >= 20_000 && api < 30_000 && web !== api)
  t.equal(first.get('old'), 3000)
  const later = new Ports(new Registry(join(dir, 'data'), quiet), { table: () => undefined, own: () => undefined })
  t.strictSame(
    await later.lease(a, [assigned('api'), assigned('web')]),
    new Map([
      ['api', api],
      ['web', web],
    ]),
  )
  const other = await ports.lease(b, [assigned('web')])
  t.notOk([web, api].includes(other.get('web') ?? 0))
})

t.test('leases no port on which a process listens, on either loopback address', async t => {
  const { ports, known } = leases(t)
  const a = known('a')
  const port = (await ports.lease(a, [assigned('web')])).get('web') ?? 0
  const hosts = ['127.0.0.1', '0.0.0.0', '::1', '::']
  for (const host of hosts) {
    const server = await listen(t, port, host)
    t.equal(await isFree(port), false, host)
    await t.rejects(ports.check(port, 'a:web'), {
      code: 'PORT_TAKEN',
      message: `port ${port} of a:web is in use by python3 (pid ${port})`,
    })
    const closed = once(server, 'close')
    server.close()
    await closed
  }
  t.equal(await isFree(port), true)
  await listen(t, port)
  const other = await ports.reassign(a, 'web')
  t.not(other, port)
  t.strictSame(await ports.lease(a, [assigned('web')]), new Map([['web', other]]), 'and remembered')
})

t.test('takes a bindable port as used while a process accepts connections on it, as macOS allows', async t => {
  const tests = (answering: string | undefined, unbindable?: string) => ({
    isBindable: async (host: string) => host !== unbindable,
    isTaken: async (host: string) => host === answering,
  })
  t.equal(await isFree(5000, tests('127.0.0.1')), false)
  t.equal(await isFree(5000, tests('::1')), false)
  t.equal(await isFree(5000, tests(undefined, '::1')), false)
  t.equal(await isFree(5000, tests(undefined)), true)
})

t.test('takes the port of a server as used that is too busy to accept', async t => {
  const serve = `const server = require('node:net').createServer().listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => {
    require('node:fs').writeSync(1, String(server.address().port))
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)
  })`
  const busy = spawn(process.execPath, ['-e', serve], { stdio: ['ignore', 'pipe', 'inherit'] })
  t.teardown(() => busy.kill('SIGKILL'))
  const [port] = await once(busy.stdout, 'data')
  const waiting = Array.from({ length: 4 }, () => connect(Number(port), '127.0.0.1').on('error', () => {}))
  t.teardown(() => waiting.forEach(socket => void socket.destroy()))
  await Promise.all(waiting.slice(0, 1).map(socket => once(socket, 'connect')))
  t.equal(await isAnswered('127.0.0.1', Number(port)), true)
  busy.kill('SIGKILL')
  await once(busy, 'exit')
  t.equal(await isAnswered('127.0.0.1', Number(port)), false)
})

t.test('says how to free a fixed port that the system uses', async t => {
  const dir = folder(t)
  const table: Partial<ProcessTable> = {
    holder: async () => 'AirPlay Receiver of macOS (ControlCenter, pid 412)',
    freeing: async () => 'Turn off AirPlay Receiver',
  }
  const ports = new Ports(new Registry(join(dir, 'data'), quiet), {
    table: () => table as ProcessTable,
    own: () => undefined,
  })
  const address = (await listen(t, 0)).address()
  const port = typeof address === 'object' ? (address?.port ?? 0) : 0
  await t.rejects(ports.check(port, 'a:web'), {
    message: /in use by AirPlay Receiver of macOS/,
    hint: /^Turn off AirPlay Receiver, or give the service another `port`/,
  })
})

t.test('says how to move the listener of the daemon itself from a fixed port', async t => {
  const dir = folder(t)
  const address = (await listen(t, 0)).address()
  const port = typeof address === 'object' ? (address?.port ?? 0) : 0
  const listener = { name: "locald's own bell", hint: 'set BELL_PORT', port: () => port }
  const ports = new Ports(new Registry(join(dir, 'data'), quiet), {
    table: () => undefined,
    own: asked => (asked === port ? listener : undefined),
  })
  t.strictSame([ports.isHeld(port), ports.isHeld(port + 1)], [true, false])
  await t.rejects(ports.check(port, 'a:web'), {
    code: 'PORT_TAKEN',
    message: `port ${port} of a:web is in use by locald's own bell (pid ${process.pid})`,
    hint: 'Give the service another `port`, or set BELL_PORT.',
  })
})

t.test('finds what uses a port, except the services of one project', async t => {
  const { ports, known } = leases(t)
  const a = known('a')
  const port = (await ports.lease(a, [assigned('web')])).get('web') ?? 0
  t.equal(await ports.occupant(port, 'a'), undefined)
  ports.hold(port, 'a:web')
  await listen(t, port)
  t.equal(await ports.occupant(port, 'a'), undefined)
  for (const other of ['b', undefined])
    t.strictSame(await ports.occupant(port, other), { name: 'a:web', isService: true })
  ports.release(port, 'a:web')
  t.match(await ports.occupant(port, 'a'), { isService: false })
})

t.test('leases no port of another running service, and refuses it as a fixed port', async t => {
  const { ports, known } = leases(t)
  const a = known('a')
  const port = (await ports.lease(a, [assigned('web')])).get('web') ?? 0
  ports.hold(port, 'b:other')
  ports.hold(port, 'b:other')
  t.throws(() => ports.hold(port, 'a:web'), { code: 'PORT_TAKEN', message: /in use by service b:other/ })
  t.not((await ports.lease(a, [assigned('web')])).get('web'), port)
  ports.release(port, 'a:web')
  t.throws(() => ports.hold(port, 'a:web'), 'only its holder gives it back')
  ports.release(port, 'b:other')
  ports.hold(port, 'a:web')
})

t.test("assigns a new port when the old one becomes another service's fixed port", async t => {
  const { ports, known } = leases(t)
  const a = known('a')
  const port = (await ports.lease(a, [assigned('web')])).get('web') ?? 0
  const both = await ports.lease(a, [assigned('web'), { service: 'api', fixed: port }])
  t.equal(both.get('api'), port)
  t.not(both.get('web'), port)
})

t.test('leases different ports to many projects at once', async t => {
  const { ports, known } = leases(t)
  const refs = Array.from({ length: 12 }, (_, index) => known(`p${index}`))
  const all = await Promise.all(refs.map(ref => ports.lease(ref, ['a', 'b', 'c'].map(assigned))))
  const given = all.flatMap(leases => [...leases.values()])
  t.equal(new Set(given).size, 36)
})
