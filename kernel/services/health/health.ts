import type { HealthCheck, Instance, Protocol } from '../../contract/plugin.ts'
import { LogCursor } from '../../logs/cursor.ts'
import { Grep } from '../../logs/grep.ts'
import { stampOf } from '../../logs/lines.ts'
import type { ServiceLog } from '../../logs/service-log.ts'
import { pause, withResolvers } from '../../system/async.ts'
import { commandProbe, httpProbe, type ProbeResult, placeOf, tcpProbe } from './probes.ts'

/** What is needed to watch a service's health. */
export interface HealthInput {
  /** The user's; absent: the instance's own probe, else TCP on the port, else none. */
  readonly check: HealthCheck | undefined
  readonly instance: Instance
  readonly port: number | undefined
  /** The protocol on its port, if its type says so. */
  readonly protocol?: Protocol | undefined
  /** The address on which it listens, if that is known already. */
  readonly address?: string | undefined
  /** Whether another user's process answers there, which does not count. */
  readonly reachesOtherUser?: (address: string, port: number) => Promise<boolean>
  readonly dir: string
  readonly env: Readonly<Record<string, string>>
  readonly log: ServiceLog
  readonly signal: AbortSignal
}

/** A probe's result, and the number of probes so far. */
export interface Attempt extends ProbeResult {
  readonly tries: number
}

/** This many failures in a row make a ready service unhealthy; one success makes it healthy again. */
export const failuresToUnhealthy = 3

/** Without anything to probe, a process counts as started after it has lived this long: ms. */
const settleMs = 40

/** The timeout of one automatic probe: ms. */
const automaticTimeoutMs = 1000

/**
 * Until a service is ready, and without an interval of the user's, the pause between probes is a twentieth of its time
 * so far, within these bounds (ms): a quick start is noticed at once. A command costs a process, so it runs less often.
 */
const startPace = {
  command: { least: 50, most: 1000 },
  other: { least: 5, most: 50 },
} as const
/** A service that takes very long is probed less often, in the end once a second. */
const longPace = { part: 1 / 200, most: 1000 } as const

type Prober = () => Promise<ProbeResult>

/** Watches one instance: until it is ready, and after that. */
export class HealthWatch {
  readonly #input: HealthInput
  #address: string | undefined

  constructor(input: HealthInput) {
    this.#input = input
    this.#address = input.address
  }

  /** Probes until the service is ready; reports each failed probe. Returns undefined when the signal aborts. */
  async waitUntilReady(tried: (attempt: Attempt) => void): Promise<ProbeResult | undefined> {
    const { check, signal, log, instance } = this.#input
    if (check?.type === 'notify') return waitForNotify(instance, signal, tried)
    if (check?.type === 'log') return waitForLine(log, check.pattern, instance.startedMs, signal)
    const probe = this.#prober()
    if (probe === undefined) {
      await pause(settleMs, signal)
      return signal.aborted ? undefined : { ok: true, detail: 'running' }
    }
    const notice = new ReadyNotice(instance)
    try {
      const first = performance.now()
      for (let tries = 1; !signal.aborted; tries++) {
        const began = performance.now()
        const result = await unlessAborted(probe(), signal)
        if (result === undefined) return undefined
        if (result.ok) {
          this.#address = result.address
          return result
        }
        // Without a check of the user's, the service's own notification counts as well.
        if (check === undefined && notice.isReady) return { ok: true, detail: 'notified READY=1' }
        tried({ ...result, tries })
        await pause(Math.max(0, startDelay(check, began - first) - (performance.now() - began)), signal)
      }
      return undefined
    } finally {
      notice.close()
    }
  }

  /** Returns the loopback address on which the service listens, where it can be found out. */
  async address(): Promise<string | undefined> {
    const { port, signal } = this.#input
    if (this.#address === undefined && port !== undefined) {
      const probe = tcpProbe(port, automaticTimeoutMs).then(result => this.#rejectOtherUsers(result))
      this.#address = (await unlessAborted(probe, signal))?.address
    }
    return this.#address
  }

  /**
   * Watches a ready service: a check of the user's continues at its interval, and each change of health is reported.
   * Automatic checks stop: an idle machine stays idle, and an exit is noticed without them.
   */
  async watch(changed: (healthy: boolean, attempt: Attempt) => void): Promise<void> {
    const { check, signal, instance } = this.#input
    if (check?.type === 'notify') return watchNotify(instance, signal, changed)
    const probe = check === undefined || check.type === 'log' ? undefined : this.#prober()
    if (probe === undefined || check === undefined) return
    let failures = 0
    let healthy = true
    for (;;) {
      await pause(check.interval, signal)
      if (signal.aborted) return
      const result = await unlessAborted(probe(), signal)
      if (result === undefined) return
      failures = result.ok ? 0 : failures + 1
      const sound: boolean = result.ok || (healthy && failures < failuresToUnhealthy)
      if (sound !== healthy) changed(sound, { ...result, tries: failures })
      healthy = sound
    }
  }

  #prober(): Prober | undefined {
    const { check, instance, port, protocol, dir, env, signal } = this.#input
    if (check?.type === 'command') return () => commandProbe(check.command, check.timeout, { dir, env, signal })
    if (check?.type === 'http' || check?.type === 'tcp') {
      if (port === undefined) return () => Promise.resolve({ ok: false, detail: 'no port' })
      const ask =
        check.type === 'tcp'
          ? () => tcpProbe(port, check.timeout)
          : () => httpProbe({ port, path: check.path, tls: protocol === 'https', host: this.#address }, check.timeout)
      return async () => await this.#rejectOtherUsers(await ask())
    }
    const own = instance.probe?.bind(instance)
    if (own !== undefined) return async () => ({ ok: await own(), detail: 'not responding yet' })
    return port === undefined
      ? undefined
      : async () => await this.#rejectOtherUsers(await tcpProbe(port, automaticTimeoutMs))
  }

  /** Rejects the answer of another user's process: it would get the service's requests. */
  async #rejectOtherUsers(result: ProbeResult): Promise<ProbeResult> {
    const { port, reachesOtherUser } = this.#input
    const { ok, address } = result
    if (!ok || address === undefined || port === undefined || reachesOtherUser === undefined) return result
    if (!(await reachesOtherUser(address, port))) return result
    return { ok: false, detail: `a process of another user listens on ${placeOf(address, port)}` }
  }
}

/**
 * Returns the result, or undefined as soon as the signal aborts: stopping a service does not wait for a running probe.
 */
function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T | undefined> {
  return new Promise((resolve, reject) => {
    const stop = () => resolve(undefined)
    signal.addEventListener('abort', stop, { once: true })
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop))
    if (signal.aborted) stop()
  })
}

/**
 * Returns the pause before the next probe, ms: exactly the user's interval; without one short at first, to notice
 * readiness at once.
 */
function startDelay(check: HealthCheck | undefined, elapsedMs: number): number {
  if (check?.intervalGiven) return check.interval
  const { least, most } = check?.type === 'command' ? startPace.command : startPace.other
  return Math.max(least, Math.min(most, elapsedMs / 20), Math.min(longPace.most, elapsedMs * longPace.part))
}

/** Notes whether an instance has sent READY=1 to its NOTIFY_SOCKET (sd_notify(3)), until closed. */
class ReadyNotice {
  isReady = false
  readonly #off: (() => void) | undefined

  constructor(instance: Instance) {
    this.#off = instance.on?.(event => {
      if (event.event === 'notify' && event.ready) this.isReady = true
    })
  }

  close(): void {
    this.#off?.()
  }
}

/** Waits for READY=1. A STATUS= before it describes what the service does, and does not count as a probe. */
async function waitForNotify(
  instance: Instance,
  signal: AbortSignal,
  tried: (attempt: Attempt) => void,
): Promise<ProbeResult | undefined> {
  if (instance.on === undefined) return { ok: true, detail: 'running' }
  const ready = withResolvers<ProbeResult>()
  const off = instance.on(event => {
    if (event.event !== 'notify') return
    if (event.ready) ready.resolve({ ok: true, detail: event.status ?? 'notified READY=1' })
    else if (event.status !== null && !signal.aborted) tried({ ok: false, detail: event.status, tries: 0 })
  })
  const result = await unlessAborted(ready.promise, signal)
  off()
  return result
}

async function watchNotify(
  instance: Instance,
  signal: AbortSignal,
  changed: (healthy: boolean, attempt: Attempt) => void,
): Promise<void> {
  const off = instance.on?.(event => {
    if (event.event !== 'notify' || (!event.stopping && !event.ready)) return
    changed(event.ready, { ok: event.ready, detail: event.status ?? 'notified STOPPING=1', tries: 1 })
  })
  if (off === undefined) return
  if (signal.aborted) off()
  else signal.addEventListener('abort', off, { once: true })
}

/** Reads the log from the instance's start until a line, or an unfinished one, matches. */
async function waitForLine(
  log: ServiceLog,
  pattern: string,
  startedMs: number,
  signal: AbortSignal,
): Promise<ProbeResult | undefined> {
  const grep = new Grep(pattern)
  const cursor = new LogCursor(log.file)
  const since = stampOf(new Date(startedMs).toISOString())
  // All lines after the present end are of this instance, even if the clock is set meanwhile.
  let isAtEnd = false
  const isFresh = ({ time }: { readonly time: string }) => isAtEnd || since === undefined || time >= since
  let wake = withResolvers<void>()
  const unwatch = log.watch(() => wake.resolve())
  try {
    await cursor.seek({ since, follow: true })
    while (!signal.aborted) {
      wake = withResolvers()
      const lines = await cursor.next()
      const shown = lines.length > 0 ? lines : cursor.peek()
      if (grep.matching(shown.filter(isFresh)).length > 0) return { ok: true, detail: 'printed the expected line' }
      if (lines.length > 0) continue
      isAtEnd = true
      await unlessAborted(wake.promise, signal)
    }
    return undefined
  } finally {
    unwatch()
    await cursor.close()
  }
}
