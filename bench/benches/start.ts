import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { cli, program } from '../folders.ts'
import { Locald, listeners } from '../locald.ts'
import { interleave, median, until } from '../measure.ts'
import { allAccept, freePorts, noneAccept } from '../ports.ts'
import { childrenMs, processesWith } from '../processes.ts'
import type { Found, Row } from '../report.ts'
import { type Supervisor, supervisors, type Words } from '../supervisors.ts'

/** One start: until all ports accept, until the command returns, and the CPU time of all processes, in ms. */
interface Start {
  readonly accept: number
  readonly returned: number
  readonly cpu: number
}

/** Measures the start of 50 trivial listeners, without a daemon and with a running one, against every peer. */
export async function start({ smoke }: { readonly smoke: boolean }): Promise<Found> {
  const count = smoke ? 3 : 50
  const rounds = smoke ? 1 : 7
  const listener = program('listener')
  const ports = await freePorts(count, 31_000)
  const { here, missing } = smoke ? { here: [], missing: [] } : supervisors(listener, () => ports)
  const locald = new Locald(listeners(ports, listener))
  try {
    const results = await interleave(
      rounds,
      Object.fromEntries([asSupervisor(locald), ...here].map(one => [one.name, () => measure(one, ports)])),
    )
    return {
      bench: 'start',
      about: `${count} trivial listeners until all ports accept`,
      rows: rowsOf(results),
      skipped: missing,
    }
  } finally {
    await locald.close()
    for (const one of here) one.remove()
  }
}

function asSupervisor(locald: Locald): Supervisor & { readonly cwd: string } {
  const words = (...rest: Words) => [process.execPath, cli, ...rest]
  const daemon = { stop: words('stop'), again: words('up'), end: words('server', 'shutdown') }
  const { home, env, project: cwd } = locald
  return { name: 'locald', home, env, cwd, up: words('up'), daemon, remove: () => {} }
}

interface Measured {
  readonly cold: Start
  readonly warm: Start | undefined
}

async function measure(one: Supervisor, ports: readonly number[]): Promise<Measured> {
  const cold = await begin(one, one.up, ports)
  let warm: Start | undefined
  if (one.daemon !== undefined) {
    run(one, one.daemon.stop)
    await noneAccept(ports)
    warm = await begin(one, one.daemon.again, ports)
  }
  await end(one, ports, cold.child)
  return { cold, warm }
}

async function begin(
  one: Supervisor,
  words: Words,
  ports: readonly number[],
): Promise<Start & { child: ChildProcess }> {
  const before = new Map(processesWith(one.home).map(({ pid, cpuMs }) => [pid, cpuMs]))
  const waited = childrenMs()
  const began = performance.now()
  const [file = '', ...args] = words
  const child = spawn(file, args, { cwd: cwdOf(one), env: one.env, stdio: 'ignore', detached: true })
  const exited = once(child, 'exit')
  await allAccept(ports)
  const accept = performance.now() - began
  if (one.daemon !== undefined) await exited
  const returned = performance.now() - began
  const living = processesWith(one.home).reduce((sum, { pid, cpuMs }) => sum + cpuMs - (before.get(pid) ?? 0), 0)
  return { accept, returned, cpu: living + childrenMs() - waited, child }
}

async function end(one: Supervisor, ports: readonly number[], child?: ChildProcess): Promise<void> {
  if (one.daemon !== undefined) run(one, one.daemon.end)
  else if (child?.pid !== undefined) process.kill(-child.pid, 'SIGTERM')
  if (child?.exitCode === null && child.signalCode === null) await once(child, 'exit')
  // Not every peer stops all processes that it has started.
  if (one.name !== 'locald') for (const { pid } of processesWith(one.home)) kill(pid)
  await noneAccept(ports)
  await until(`the end of ${one.name}`, () => processesWith(one.home).length === 0)
}

function run(one: Supervisor, words: Words): void {
  const [file = '', ...args] = words
  spawnSync(file, args, { cwd: cwdOf(one), env: one.env, stdio: 'ignore' })
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It has exited already.
  }
}

function cwdOf(one: Supervisor): string {
  return 'cwd' in one && typeof one.cwd === 'string' ? one.cwd : one.home
}

function rowsOf(results: ReadonlyMap<string, readonly Measured[]>): Row[] {
  const rows: Row[] = []
  const starts = (name: string, kind: 'cold' | 'warm') => (results.get(name) ?? []).flatMap(each => each[kind] ?? [])
  const hasDaemon = (name: string) => results.get(name)?.[0]?.warm !== undefined
  for (const kind of ['cold', 'warm'] as const) {
    const by = (key: keyof Start) =>
      new Map([...results.keys()].map(name => [name, median(starts(name, kind).map(each => each[key]))]))
    const [accept, returned, cpu] = [by('accept'), by('returned'), by('cpu')]
    const own = accept.get('locald') ?? Number.NaN
    for (const [name, value] of accept) {
      if (Number.isNaN(value)) continue
      const words = `${kind === 'cold' ? 'from nothing' : 'daemon runs'}: ${name}`
      if (name === 'locald') {
        // Peers that stay in the foreground have no daemon to start or query.
        const others = [...accept].filter(([peer, ms]) => peer !== 'locald' && hasDaemon(peer) && !Number.isNaN(ms))
        const judged =
          others.length === 0 ? {} : { target: 'fastest with a daemon', met: others.every(([, ms]) => own <= ms) }
        rows.push({ what: words, value, unit: 'ms', ...judged })
      } else rows.push({ what: words, value, unit: 'ms', ratio: value / own, of: 'of locald' })
      const back = returned.get(name)
      if (back !== undefined && hasDaemon(name)) {
        rows.push({ what: '  … the command returned', value: back, unit: 'ms' })
      }
      rows.push({ what: '  … CPU of all that took part', value: cpu.get(name) ?? Number.NaN, unit: 'ms' })
    }
  }
  return rows
}
