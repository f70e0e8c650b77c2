import type { HealthCheck, Instance, Protocol } from '../../contract/plugin.ts'
import type { ServiceLog } from '../../logs/service-log.ts'
import { pause, unlessAborted } from '../../system/async.ts'
import { waitForLine } from './log-line.ts'
import { ReadyNotice, waitForNotify, watchNotify } from './notification.ts'
import { type Attempt, commandProbe, guestProbe, httpProbe, type ProbeResult, placeOf, tcpProbe } from './probes.ts'

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
  /** A service that does not run on this machine's own network, and its port there. */
  readonly guest?: { readonly port: number | undefined } | undefined
  readonly dir: string
  readonly env: Readonly<Record<string, string>>
  readonly log: ServiceLog
  readonly signal: AbortSignal
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

/**
 * The pause between two commands inside a ready guest, without an interval of the user's: compose's own, ms. Each costs
 * a client of the engine and a process inside.
 */
const insideIntervalMs = 30_000

type Prober = () => Promise<ProbeResult>

/** Watches one instance: until it is ready, and after that. */
export class HealthWatch {
  readonly #input: HealthInput
  #address: string | undefined
  #port: number | undefined
  #isReady = false

  constructor(input: HealthInput) {
    this.#input = input
    const { port, address, guest } = input
    this.#port = port
    this.#address = guest !== undefined && port !== undefined ? '127.0.0.1' : address
  }

  /** Probes another port from now on. */
  moveTo(port: number): void {
    this.#port = port
    this.#address = undefined
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
        await pause(Math.max(0, this.#startDelay(began - first) - (performance.now() - began)), signal)
      }
      return undefined
    } finally {
      notice.close()
    }
  }

  /** Returns the loopback address on which the service listens, where it can be found out. */
  async address(): Promise<string | undefined> {
    const { guest, signal } = this.#input
    const port = this.#port
    // A guest's port is published there, and its probe takes long.
    if (guest !== undefined) return port === undefined ? undefined : '127.0.0.1'
    if (this.#address === undefined && port !== undefined) {
      const probe = this.#connect(port, automaticTimeoutMs).then(result => this.#rejectOtherUsers(result))
      this.#address = (await unlessAborted(probe, signal))?.address
    }
    return this.#address
  }

  /**
   * Watches a ready service: a check of the user's continues at its interval, an instance's own where it says how
   * often, and each change of health is reported. Other automatic checks stop: an idle machine stays idle, and an exit
   * is noticed without them.
   */
  async watch(changed: (healthy: boolean, attempt: Attempt) => void): Promise<void> {
    const { check, signal, instance } = this.#input
    if (check?.type === 'notify') return watchNotify(instance, signal, changed)
    this.#isReady = true
    const pauseMs = check === undefined ? instance.probeEvery : this.#interval(check)
    const probe = pauseMs === undefined ? undefined : this.#prober()
    if (probe === undefined || pauseMs === undefined) return
    let failures = 0
    let healthy = true
    for (;;) {
      await pause(pauseMs, signal)
      if (signal.aborted) return
      const result = await unlessAborted(probe(), signal)
      if (result === undefined) return
      failures = result.ok ? 0 : failures + 1
      const sound: boolean = result.ok || (healthy && failures < failuresToUnhealthy)
      if (sound !== healthy) changed(sound, { ...result, tries: failures })
      healthy = sound
    }
  }

  /** Returns the pause between two checks of a ready service, ms; undefined: there are no more. */
  #interval({ type, interval, intervalGiven }: HealthCheck): number | undefined {
    if (type === 'log') return undefined
    return type === 'command' && this.#input.guest !== undefined && !intervalGiven ? insideIntervalMs : interval
  }

  /**
   * Returns the pause before the next probe of a service that is not ready, ms: exactly the user's interval; without one
   * short at first, to notice readiness at once. The intervals of guests are written for a ready one, as in compose: until
   * then they are an upper bound.
   */
  #startDelay(elapsedMs: number): number {
    const { check, guest } = this.#input
    if (check?.intervalGiven && guest === undefined) return check.interval
    const { least, most } = check?.type === 'command' ? startPace.command : startPace.other
    const delay = Math.max(least, Math.min(most, elapsedMs / 20), Math.min(longPace.most, elapsedMs * longPace.part))
    return check?.intervalGiven ? Math.min(check.interval, delay) : delay
  }

  #prober(): Prober | undefined {
    const { check, instance, protocol, guest, dir, env, signal } = this.#input
    if (check?.type === 'command') {
      return guest !== undefined
        ? () => this.#checkInside(check.command, check.timeout)
        : () => commandProbe(check.command, check.timeout, { dir, env, signal })
    }
    if (check?.type === 'http' || check?.type === 'tcp') {
      const tls = protocol === 'https'
      return this.#portProber(port =>
        check.type === 'tcp'
          ? this.#connect(port, check.timeout)
          : httpProbe({ port, path: check.path, tls, host: this.#address }, check.timeout),
      )
    }
    const own = instance.probe?.bind(instance)
    if (own !== undefined)
      return async () => {
        const result = await own()
        if (typeof result === 'object') return result
        return { ok: result, detail: this.#isReady ? 'not responding' : 'not responding yet' }
      }
    return this.#port === undefined ? undefined : this.#portProber(port => this.#connect(port, automaticTimeoutMs))
  }

  /** Probes the port that the service has then. */
  #portProber(ask: (port: number) => Promise<ProbeResult>): Prober {
    return async () => {
      const port = this.#port
      if (port === undefined) return { ok: false, detail: 'no port' }
      return await this.#rejectOtherUsers(await ask(port))
    }
  }

  #connect(port: number, timeoutMs: number): Promise<ProbeResult> {
    const { guest } = this.#input
    return guest === undefined ? tcpProbe(port, timeoutMs) : guestProbe(port, guest.port, timeoutMs)
  }

  /** Runs a check's command inside a guest: a shell of this machine would see another machine. */
  async #checkInside(command: string, timeoutMs: number): Promise<ProbeResult> {
    const { instance, signal } = this.#input
    if (instance.check === undefined) return { ok: false, detail: 'its type cannot run commands inside' }
    return await instance.check(command, timeoutMs, signal)
  }

  /** Rejects the answer of another user's process: it would get the service's requests. */
  async #rejectOtherUsers(result: ProbeResult): Promise<ProbeResult> {
    const { reachesOtherUser } = this.#input
    const port = this.#port
    const { ok, address } = result
    if (!ok || address === undefined || port === undefined || reachesOtherUser === undefined) return result
    if (!(await reachesOtherUser(address, port))) return result
    return { ok: false, detail: `a process of another user listens on ${placeOf(address, port)}` }
  }
}
