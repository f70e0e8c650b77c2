import { once } from 'node:events'
import { createServer } from 'node:net'
import { performance } from 'node:perf_hooks'
import { setTimeout } from 'node:timers/promises'
import t, { type Test } from 'tap'
import type { HealthCheck, Instance } from '../../../../kernel/contract/plugin.ts'
import { ServiceLog } from '../../../../kernel/logs/service-log.ts'
import { HealthWatch } from '../../../../kernel/services/health/health.ts'
import { guestProbe } from '../../../../kernel/services/health/probes.ts'
import { type Guest, guestType } from '../../../lib/guest.ts'
import { serviceOf, start, TestKernel, until } from '../../projects/harness.ts'

/** A project with one guest, started, and prepared by `made` before it listens. */
async function guestOf(t: Test, keys: string, made: (guest: Guest) => void = () => {}) {
  const guests: Guest[] = []
  const type = guestType(guest => {
    guests.push(guest)
    made(guest)
  })
  const kernel = new TestKernel(t, [type])
  const folder = t.testdir({
    'package.json': '{ "scripts": { "dev": "vite" } }',
    'locald.toml': `[project]\nname = "shop"\n[services.cache]\ntype = "guest"\n${keys}\n`,
  })
  const project = await kernel.project(folder)
  await start(project, 'cache')
  const service = serviceOf(project, 'cache')
  await until(service, ({ launched, status }) => launched || status === 'failed')
  const [guest] = guests
  if (guest === undefined) throw new Error('it has not started')
  return { service, guest, guests, kernel, project }
}

const isHealthy = ({ status, health }: { readonly status: string; readonly health: string | null }) =>
  status === 'running' && health === 'healthy'

t.test('a connection counts when it stays open, or when data come', async t => {
  let greets = false
  let closes = false
  const server = createServer(socket => {
    socket.on('error', () => {})
    if (greets) socket.end('hello')
    if (closes) socket.destroy()
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  const address = server.address()
  const port = typeof address === 'object' ? (address?.port ?? 0) : 0
  const timed = async () => {
    const began = performance.now()
    return { result: await guestProbe(port, 80, 5000), ms: performance.now() - began }
  }
  const open = await timed()
  t.match(open.result, { ok: true, address: '127.0.0.1' })
  t.ok(open.ms >= 295, `${open.ms} ms`)
  greets = true
  t.match((await timed()).result, { ok: true }, 'data count, although it closes then')
  greets = false
  closes = true
  t.match((await timed()).result, {
    ok: false,
    detail: `127.0.0.1:${port} closes connections: nothing listens on port 80 inside yet`,
  })
  server.close()
  await once(server, 'close')
  t.match((await timed()).result, { ok: false, detail: `connection refused on 127.0.0.1:${port}` })
})

t.test('a guest is ready when its port no longer closes connections', async t => {
  for (const check of ['', 'health_check = { type = "tcp" }']) {
    const { service, guest } = await guestOf(t, `inside = 6379\n${check}`, it => {
      it.answer = 'close'
    })
    await until(service, ({ reason }) => reason?.includes('nothing listens on port 6379 inside yet') === true)
    t.equal(service.state.now.status, 'starting')
    guest.answer = 'accept'
    await until(service, isHealthy)
    t.equal(service.address, '127.0.0.1')
    t.match(service.state.view(), { pid: null, cpu: null, memory: null })
  }
})

t.test('the command of a check runs inside', async t => {
  const { service, guest } = await guestOf(t, 'health_check = { type = "command", command = "redis-cli ping" }', it => {
    it.checked = { ok: false, detail: 'the check exited with code 3' }
  })
  await until(service, ({ reason }) => reason === 'the check exited with code 3')
  t.equal(guest.commands[0], 'redis-cli ping')
  guest.checked = { ok: true, detail: '' }
  await until(service, isHealthy)
})

/** A guest's watch, and how often its check has run. */
function watchOf(t: Test, given: Pick<HealthCheck, 'interval' | 'intervalGiven'>, isOk: (run: number) => boolean) {
  const abort = new AbortController()
  t.teardown(() => abort.abort())
  const ran: number[] = []
  const instance: Instance = {
    ...{ pid: null, startedMs: Date.now(), state: null, exited: new Promise(() => {}), stop: async () => {} },
    check: async () => ({ ok: isOk(ran.push(performance.now())), detail: 'no' }),
  }
  const check = { type: 'command', command: 'true', timeout: 1000, ...given } as const
  const log = new ServiceLog(t.testdir())
  const place = { guest: { port: undefined }, port: undefined, dir: '/', env: {}, log, signal: abort.signal }
  return { watch: new HealthWatch({ check, instance, ...place }), ran }
}

t.test('until a guest is ready its check runs often, and never less often than its interval', async t => {
  const slow = watchOf(t, { interval: 60_000, intervalGiven: true }, run => run === 4)
  t.match(await slow.watch.waitUntilReady(() => {}), { ok: true })
  const fast = watchOf(t, { interval: 5, intervalGiven: true }, run => run === 20)
  const began = performance.now()
  t.match(await fast.watch.waitUntilReady(() => {}), { ok: true })
  t.ok(performance.now() - began < 20 * 50, 'not the pause of 50 ms that is the least without an interval')
})

t.test('the check of a ready guest runs at its interval, without one every 30 s', async t => {
  const given = watchOf(t, { interval: 5, intervalGiven: true }, () => true)
  const none = watchOf(t, { interval: 5, intervalGiven: false }, () => true)
  void none.watch.watch(() => {})
  void given.watch.watch(() => {})
  while (given.ran.length < 10) await setTimeout(5)
  t.equal(none.ran.length, 0)
})

t.test('a type that cannot run commands inside fails the check', async t => {
  const { service } = await guestOf(t, 'health_check = "test -e /tmp"', it => {
    Object.defineProperty(it, 'check', { value: undefined })
  })
  await until(service, ({ reason }) => reason === 'its type cannot run commands inside')
})

t.test('an own probe continues where the instance says how often', async t => {
  let answers = true
  let probes = 0
  const { service } = await guestOf(t, 'inside = 1', it => {
    const probe = async () => {
      probes++
      return answers
    }
    Object.assign(it, { probe, probeEvery: 5 })
  })
  await until(service, isHealthy)
  const atFirst = probes
  answers = false
  await until(service, ({ health }) => health === 'unhealthy')
  t.ok(probes >= atFirst + 3)
  t.equal(service.state.now.reason, 'not responding (3 times in a row)')
  answers = true
  await until(service, isHealthy)
})

t.test('the reason of an exit is what its type knows, then the code', async t => {
  const { service, guest, guests } = await guestOf(t, 'inside = 1\nrestart = "on-failure"', it => {
    it.reason = 'was killed for lack of memory'
  })
  await until(service, isHealthy)
  guest.exit({ code: 137, signal: null })
  await until(service, ({ status }) => status === 'restarting')
  t.match(service.state.now.reason, /^was killed for lack of memory \(exited with code 137\); restarting in 0\.1 s/)
  await until(service, ({ restarts, ...now }) => restarts === 1 && isHealthy(now))
  t.equal(service.restartedFor, 'was killed for lack of memory (exited with code 137)')
  const second = guests[1]
  if (second === undefined) throw new Error('it has not restarted')
  second.reason = 'its container was removed'
  second.exit({ code: null, signal: null })
  await until(service, ({ reason }) => reason?.startsWith('its container was removed; restarting in 0.2 s') === true)
})

t.test('what its output says is not looked up on this machine', async t => {
  const { service, guest } = await guestOf(t, 'inside = 1\nrestart = "no"')
  await until(service, isHealthy)
  service.log.write('stderr', 'sh: 1: vite: not found\n')
  guest.exit({ code: 127, signal: null })
  await until(service, ({ status }) => status === 'failed')
  t.equal(service.state.now.reason, 'exited with code 127: command not found: vite')
})
