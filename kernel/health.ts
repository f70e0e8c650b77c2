import { Grep } from './grep.ts'
import { deferred, pause } from './limits.ts'
import { LogCursor } from './log-reader.ts'
import type { ServiceLog } from './logs.ts'
import type { HealthCheck, Instance } from './plugin.ts'
import { commandProbe, httpProbe, type ProbeResult, tcpProbe } from './probe.ts'

/** What a service's health is watched with. */
export interface HealthInput {
  /** The user's; absent: the instance's own probe, else TCP on the port, else none. */
  readonly check: HealthCheck | undefined
  readonly instance: Instance
  readonly port: number | undefined
  readonly dir: string
  readonly env: Readonly<Record<string, string>>
  readonly log: ServiceLog
  readonly signal: AbortSignal
}

/** One try, and how many there were. */
export interface Attempt extends ProbeResult {
  readonly tries: number
}

/** This many failures in a row make a ready service unhealthy. */
export const failuresToUnhealthy = 3

type Prober = () => Promise<ProbeResult>

/** Where there is nothing to ask, a process counts as started after it has lived this long: ms. */
const settleMs = 40

/** Watches one instance: first until it is ready, then on. */
export class HealthWatch {
  readonly #input: HealthInput
  #address: string | undefined

  constructor(input: HealthInput) {
    this.#input = input
  }

  /** Tries until the service is ready; each failed try is told. Rejects never; ends when the signal aborts. */
  async untilReady(tried: (attempt: Attempt) => void): Promise<ProbeResult | undefined> {
    const { check, signal, log, instance } = this.#input
    if (check?.type === 'notify') return notified(instance, signal)
    if (check?.type === 'log') return logged(log, check.pattern, instance.startedMs, signal)
    const probe = this.#prober()
    if (probe === undefined) {
      await pause(settleMs, signal)
      return signal.aborted ? undefined : { ok: true, detail: 'it runs' }
    }
    const delays = startDelays(check)
    for (let tries = 1; !signal.aborted; tries++) {
      const began = performance.now()
      const result = await unlessAborted(probe(), signal)
      if (result === undefined) return undefined
      if (result.ok) {
        this.#address = result.address
        return result
      }
      tried({ ...result, tries })
      await pause(Math.max(0, delays(tries) - (performance.now() - began)), signal)
    }
    return undefined
  }

  /**
   * After ready: a check of the user's goes on at its interval, and each change of mind is told. Automatic checks do not go
   * on: an idle machine stays idle, and the end of a process is noticed without them.
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
    const { check, instance, port, dir, env, signal } = this.#input
    if (check?.type === 'command') return () => commandProbe(check.command, check.timeout, { dir, env, signal })
    if (check?.type === 'http') {
      return async () => {
        if (port === undefined) return { ok: false, detail: 'it has no port' }
        return httpProbe(port, check.path, check.timeout, this.#address)
      }
    }
    if (check?.type === 'tcp') return () => tcp(port, check.timeout)
    const own = instance.probe?.bind(instance)
    if (own !== undefined)
      return async () => ((await own()) ? { ok: true, detail: '' } : { ok: false, detail: 'it does not answer yet' })
    return port === undefined ? undefined : () => tcp(port, 1000)
  }
}

/** The result, or undefined as soon as the signal aborts: the end of a service does not wait for a probe under way. */
function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T | undefined> {
  return new Promise((resolve, reject) => {
    const stop = () => resolve(undefined)
    if (signal.aborted) return stop()
    signal.addEventListener('abort', stop, { once: true })
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop))
  })
}

function tcp(port: number | undefined, timeoutMs: number): Promise<ProbeResult> {
  return port === undefined ? Promise.resolve({ ok: false, detail: 'it has no port' }) : tcpProbe(port, timeoutMs)
}

/** Delay before the next try, ms: the user's interval to the letter; else quick at first, so that readiness is seen at once. */
function startDelays(check: HealthCheck | undefined): (tries: number) => number {
  if (check?.intervalGiven) return () => check.interval
  const [first, cap] = check?.type === 'command' ? [50, 1000] : [5, 250]
  return tries => Math.min(cap, first * 1.2 ** (tries - 1))
}

async function notified(instance: Instance, signal: AbortSignal): Promise<ProbeResult | undefined> {
  if (instance.on === undefined) return { ok: true, detail: 'it runs' }
  const ready = deferred<ProbeResult | undefined>()
  const off = instance.on(event => {
    if (event.event === 'notify' && event.ready) ready.resolve({ ok: true, detail: event.status ?? 'it said READY=1' })
  })
  const aborted = () => ready.resolve(undefined)
  signal.addEventListener('abort', aborted, { once: true })
  if (signal.aborted) aborted()
  const result = await ready.promise
  off()
  signal.removeEventListener('abort', aborted)
  return result
}

async function watchNotify(
  instance: Instance,
  signal: AbortSignal,
  changed: (healthy: boolean, attempt: Attempt) => void,
): Promise<void> {
  const off = instance.on?.(event => {
    if (event.event !== 'notify' || !event.stopping) return
    changed(false, { ok: false, detail: event.status ?? 'it said STOPPING=1', tries: 1 })
  })
  if (off === undefined) return
  if (signal.aborted) off()
  else signal.addEventListener('abort', off, { once: true })
}

/** Reads the log from the instance's start until a line matches. */
async function logged(
  log: ServiceLog,
  pattern: string,
  startedMs: number,
  signal: AbortSignal,
): Promise<ProbeResult | undefined> {
  const grep = new Grep(pattern)
  const cursor = new LogCursor(log.file)
  const since = new Date(startedMs).toISOString()
  let wake = deferred<void>()
  const unwatch = log.watch(() => wake.resolve())
  const aborted = () => wake.resolve()
  signal.addEventListener('abort', aborted, { once: true })
  try {
    let lines = await cursor.last(Number.MAX_SAFE_INTEGER, { since })
    while (!signal.aborted) {
      const found = grep.matching(lines)[0]
      if (found !== undefined) return { ok: true, detail: 'the awaited line was printed' }
      wake = deferred()
      lines = await cursor.next()
      if (lines.length > 0) continue
      if (cursor.pending && grep.matching(cursor.peek()).length > 0)
        return { ok: true, detail: 'the awaited line was printed' }
      await wake.promise
    }
    return undefined
  } finally {
    unwatch()
    signal.removeEventListener('abort', aborted)
    await cursor.close()
  }
}
