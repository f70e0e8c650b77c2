import type { Fault, Instance } from '../../contract/plugin.ts'
import { messageOf } from '../../errors.ts'
import { exitText } from '../restart-policy.ts'
import type { StartPlan } from '../start-plan.ts'
import type { SupervisorHost } from '../supervisor-host.ts'
import { HealthWatch } from './health.ts'
import type { Attempt, ProbeResult } from './probes.ts'

/** After this much waiting the state shows the reason: ms. */
const explainAfterMs = 300
/** After this much waiting the other ports of the service are examined, and again at most this often: ms. */
const lookAfterMs = 1000
const lookEveryMs = 2000
/** Reading all processes and sockets takes up to seconds on a busy Mac: it may take a tenth of the time at most. */
const restsPerLook = 9

/** The instance to watch, until the signal aborts. */
export interface ReadinessInput {
  readonly host: SupervisorHost
  readonly plan: StartPlan
  readonly instance: Instance
  readonly signal: AbortSignal
}

/** Watches one instance: its readiness, with the reason while it is not ready, then its health. */
export class ReadinessWatch {
  readonly #input: ReadinessInput
  #outputLookAt = 0
  /** Infinity while an examination is under way. */
  #lookAt = 0
  /** Why it cannot be reached. */
  #fault: Fault | undefined
  /** Why it does not get ready, according to its output. */
  #cause: string | undefined

  constructor(input: ReadinessInput) {
    this.#input = input
  }

  /** Resolves when the instance is over. Never rejects. */
  async run(wasReady: boolean): Promise<void> {
    const { host, plan, instance, signal } = this.#input
    // An adopted instance may be stopping already: nothing about it is reported.
    if (signal.aborted) return
    const { dir, env, port } = plan
    const { healthCheck } = plan.plan.common
    const { log, protocol } = host
    // An address that an earlier daemon has seen needs no connection: fifty adopted services would be probed at once.
    const address = wasReady ? host.address : undefined
    const reachesOtherUser = (at: string, on: number) => host.reachesOtherUser(instance, at, on)
    const { driver } = plan
    const guest = driver.reach === 'guest' ? { port: driver.guestPort?.(plan.plan.options) } : undefined
    const place = { port, protocol, address, reachesOtherUser, guest }
    const health = new HealthWatch({ check: healthCheck, instance, ...place, dir, env, log, signal })
    this.#handleBackground()
    try {
      const result = wasReady ? { ok: true, detail: '' } : await this.#untilReady(health)
      if (result === undefined || signal.aborted) return
      await host.ready(await health.address())
      if (signal.aborted) return
      const checked = healthCheck !== undefined || instance.probe !== undefined || port !== undefined
      host.state.set({ status: 'running', health: checked ? 'healthy' : null, reason: null })
      host.persist(instance)
      await health.watch((healthy, attempt) => {
        const reason = healthy
          ? null
          : `${attempt.detail}${attempt.tries > 1 ? ` (${attempt.tries} times in a row)` : ''}`
        host.state.set({ health: healthy ? 'healthy' : 'unhealthy', reason })
      })
    } catch (error) {
      if (!signal.aborted) host.state.set({ status: 'running', health: 'unhealthy', reason: messageOf(error) })
    }
  }

  /** Leaves a service running after its timeout, as unhealthy: it may still get ready, and then is healthy. */
  async #untilReady(health: HealthWatch): Promise<ProbeResult | undefined> {
    const { host, plan, instance } = this.#input
    const { readyTimeout } = plan.plan.common
    const began = performance.now()
    let last: Attempt | undefined
    const timer = setTimeout(() => {
      const tries = last === undefined || last.tries === 0 ? '' : `, ${last.tries} tries`
      const why = last === undefined ? '' : `: ${last.detail}${tries}`
      host.state.set({
        status: 'running',
        health: 'unhealthy',
        reason: this.#fault?.message ?? this.#withCause(`not ready within ${readyTimeout / 1000} s${why}`),
      })
      host.persist(instance)
    }, readyTimeout)
    try {
      return await health.waitUntilReady(attempt => {
        last = attempt
        this.#explain(attempt, performance.now() - began)
      })
    } finally {
      clearTimeout(timer)
    }
  }

  #explain({ detail, tries, isStrange }: Attempt, elapsedMs: number): void {
    const { state } = this.#input.host
    // A status that the service itself reports is shown at once.
    const isShown = state.now.status === 'starting' && (tries === 0 || elapsedMs > explainAfterMs)
    state.set(isShown ? { tries, reason: this.#fault?.message ?? this.#withCause(detail) } : { tries })
    const now = performance.now()
    if (elapsedMs < lookAfterMs) return
    if (now >= this.#lookAt) void this.#look(isStrange === true)
    // After its timeout the reason stays.
    if (state.now.status !== 'starting' || now < this.#outputLookAt) return
    this.#outputLookAt = now + lookEveryMs
    void this.#lookAtOutput()
  }

  #withCause(reason: string): string {
    return this.#cause === undefined ? reason : `${reason}; ${this.#cause}`
  }

  /** Searches the output for the reason: an error that the service survived, a question that it asks. */
  async #lookAtOutput(): Promise<void> {
    this.#cause = await this.#input.host.explain({ code: null, runs: true })
  }

  /** Warns about a service that ignores $PORT, with the port on which it listens, and about one that speaks TLS. */
  async #look(mayBeTls: boolean): Promise<void> {
    const { host, plan, instance, signal } = this.#input
    if (plan.port === undefined || this.#fault !== undefined) return
    const began = performance.now()
    this.#lookAt = Number.POSITIVE_INFINITY
    const fault = await host.faultOf(instance, plan.port, mayBeTls).finally(() => {
      const now = performance.now()
      this.#lookAt = Math.max(began + lookEveryMs, now + (now - began) * restsPerLook)
    })
    if (fault === undefined || signal.aborted || host.state.now.health === 'healthy') return
    this.#fault = fault
    host.warn(fault.message, fault.hint)
    host.state.set({ reason: fault.message, fault })
  }

  /** Handles a main process that exits before its children: a server in the background is kept, all else is stopped. */
  #handleBackground(): void {
    const { host, plan, instance, signal } = this.#input
    const off = instance.on?.(event => {
      if (event.event !== 'main') return
      const how = exitText(event.exit)
      if (event.exit.code !== 0) {
        const reason = `main process ${how}; terminating leftover processes`
        return host.state.set({
          pid: null,
          ...(host.state.now.health === 'healthy' ? { health: 'unhealthy' } : {}),
          reason,
        })
      }
      if (plan.port === undefined || plan.isAwaited) return instance.finish?.()
      host.state.set({ pid: null })
      host.warn(
        `main process of ${plan.plan.name} ${how}; tracking its remaining child processes`,
        'Run it in the foreground if the service should stop with its main process.',
      )
    })
    if (off !== undefined) signal.addEventListener('abort', off, { once: true })
  }
}
