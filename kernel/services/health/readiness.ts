import type { Fault, Instance } from '../../contract/plugin.ts'
import { messageOf } from '../../errors.ts'
import { pause } from '../../system/async.ts'
import { secretsOf } from '../environment/masking.ts'
import { exitText } from '../restart-policy.ts'
import type { StartPlan } from '../start-plan.ts'
import type { SupervisorHost } from '../supervisor-host.ts'
import { quoteAnswer } from './answer-text.ts'
import { HealthWatch } from './health.ts'
import { OtherPort } from './other-port.ts'
import { betterPort } from './own-port.ts'
import { findPagePort } from './page-port.ts'
import type { Attempt, ProbeResult } from './probes.ts'

/** After this much waiting the state shows the reason: ms. */
const explainAfterMs = 300
/** After this much waiting the other ports of the service are examined, and again at most this often: ms. */
const lookAfterMs = 500
const lookEveryMs = 1000
/** Looks for the port of a service that is ready without it. */
const lateLooks = 5
/** Its output is read for the reason at most this often: ms. */
const readEveryMs = 2000
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
  readonly #otherPort = new OtherPort()
  #outputLookAt = 0
  /** Infinity while an examination is under way. */
  #lookAt = 0
  /** Why it cannot be reached. */
  #fault: Fault | undefined
  /** The last failure, and the first body of those like it in a row. */
  #answer: { readonly detail: string; readonly quote: string } | undefined
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
    const { dir, env } = plan
    const port = host.foundPort ?? plan.port
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
    if (host.foundPort !== undefined) void this.#improvePort(health)
    try {
      const result = wasReady ? { ok: true, detail: '' } : await this.#untilReady(health)
      if (result === undefined || signal.aborted) return
      const address = await health.address()
      await host.ready(address)
      if (signal.aborted) return
      if (address === undefined && port !== undefined) void this.#lookLate(health)
      const checked = healthCheck !== undefined || instance.probe !== undefined || port !== undefined
      host.state.set({ status: 'running', health: checked ? 'healthy' : null, reason: null })
      host.persist(instance)
      await health.watch((healthy, attempt) => {
        if (healthy) this.#answer = undefined
        const reason = healthy
          ? null
          : this.#withAnswer(attempt, attempt.tries > 1 ? ` (${attempt.tries} times in a row)` : '')
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
      const why = last === undefined ? '' : `: ${this.#withAnswer(last, tries)}`
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
        this.#explain(health, attempt, performance.now() - began)
      })
    } finally {
      clearTimeout(timer)
    }
  }

  #explain(health: HealthWatch, attempt: Attempt, elapsedMs: number): void {
    const { tries, isStrange } = attempt
    const { state } = this.#input.host
    // A status that the service itself reports is shown at once.
    const isShown = state.now.status === 'starting' && (tries === 0 || elapsedMs > explainAfterMs)
    state.set(
      isShown ? { tries, reason: this.#fault?.message ?? this.#withCause(this.#withAnswer(attempt)) } : { tries },
    )
    const now = performance.now()
    if (elapsedMs < lookAfterMs) return
    if (now >= this.#lookAt) void this.#look(health, isStrange === true)
    // After its timeout the reason stays.
    if (state.now.status !== 'starting' || now < this.#outputLookAt) return
    this.#outputLookAt = now + readEveryMs
    void this.#lookAtOutput()
  }

  /** Adds the body of a failed answer: of equal ones in a row the first, as a time in it would be a change each time. */
  #withAnswer({ detail, body = '' }: ProbeResult, tries = ''): string {
    if (this.#answer?.detail !== detail)
      this.#answer = { detail, quote: quoteAnswer(body, secretsOf(this.#input.plan.env)) }
    const { quote } = this.#answer
    return `${detail}${tries}${quote === '' ? '' : `: ${quote}`}`
  }

  #withCause(reason: string): string {
    return this.#cause === undefined ? reason : `${reason}; ${this.#cause}`
  }

  /** Searches the output for the reason: an error that the service survived, a question that it asks. */
  async #lookAtOutput(): Promise<void> {
    this.#cause = await this.#input.host.explain({ code: null, runs: true })
  }

  /** Looks for the port of a service that ignores $PORT; warns of one that cannot be reached, or that speaks TLS. */
  async #look(health: HealthWatch, mayBeTls: boolean): Promise<void> {
    const { host, plan, signal } = this.#input
    const { port } = plan
    if (port === undefined || host.foundPort !== undefined || (this.#fault !== undefined && !mayFindPort(plan))) return
    const began = performance.now()
    this.#lookAt = Number.POSITIVE_INFINITY
    const fault = await this.#examine(health, port, mayBeTls).finally(() => {
      const now = performance.now()
      this.#lookAt = Math.max(began + lookEveryMs, now + (now - began) * restsPerLook)
    })
    if (fault === undefined || this.#fault !== undefined) return
    if (signal.aborted || host.state.now.health === 'healthy') return
    this.#fault = fault
    host.warn(fault.message, fault.hint)
    host.state.set({ reason: fault.message, fault })
  }

  async #examine(health: HealthWatch, port: number, mayBeTls: boolean): Promise<Fault | undefined> {
    const { host, plan, instance, signal } = this.#input
    const listeners = await host.listeners(instance)
    const found = mayFindPort(plan) ? this.#otherPort.find(port, listeners, await host.lastLines()) : undefined
    const other = typeof found === 'object' ? await findPagePort(found.several) : found
    if (signal.aborted || other === 'unsure') return undefined
    if (other === undefined) return await host.faultOf(listeners, port, mayBeTls)
    host.foundPort = other
    health.moveTo(other)
    this.#fault = undefined
    host.state.set({ port: other, reason: null, fault: null })
    host.persist(instance)
    const { name } = plan.plan
    host.warn(
      `${name} listens on port ${other}, not on $PORT (${port}): using ${other}`,
      `Make its command listen on $PORT, or set \`port = ${other}\` for it.`,
    )
    void this.#improvePort(health)
    return undefined
  }

  /** Gives the port that was found up for a better one, should the service listen there later. */
  async #improvePort(health: HealthWatch): Promise<void> {
    const { host, plan, instance, signal } = this.#input
    const { port } = plan
    const found = host.foundPort
    if (port === undefined || found === undefined) return
    const better = await betterPort({ host, instance, port, found, signal })
    if (better === undefined) return
    const isOwn = better === port
    host.foundPort = isOwn ? undefined : better
    health.moveTo(better)
    host.address = (await health.address()) ?? host.address
    if (signal.aborted) return
    host.state.set({ port: better })
    host.persist(instance)
    host.warn(
      `${plan.plan.name} listens on ${isOwn ? `$PORT (${port})` : `port ${better}`} now: using it instead of ${found}`,
      'Restart the services that refer to it.',
    )
    await this.#improvePort(health)
  }

  /** Looks for the port of a service whose check does not need it. */
  async #lookLate(health: HealthWatch): Promise<void> {
    const { host, signal } = this.#input
    for (let left = lateLooks; left > 0 && host.foundPort === undefined && !signal.aborted; left--) {
      await this.#look(health, false)
      await pause(lookEveryMs, signal)
    }
    if (host.foundPort !== undefined && !signal.aborted) host.address = (await health.address()) ?? host.address
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

/** Whether the service's port may be another one than it was given: a written one is meant, an engine publishes a guest's. */
function mayFindPort({ plan, driver }: StartPlan): boolean {
  return plan.common.port === undefined && driver.reach !== 'guest'
}
