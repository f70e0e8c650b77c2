import { LocaldError } from './errors.ts'
import type { Status } from './events.ts'
import { pause } from './limits.ts'
import type { ServiceLog } from './logs.ts'
import type { Condition, Exit, Instance, Run, ServicePlan, ServiceType } from './plugin.ts'
import { RestartPolicy } from './restart.ts'
import type { ServiceState } from './service-state.ts'
import { Watch } from './watch.ts'

/** A dependency: the state to look at, and when it counts. */
export interface Dependency {
  readonly name: string
  readonly state: ServiceState
  readonly condition: Condition
}

/** What is fixed for one run of a service, from `start` to its end, through all its restarts. */
export interface Assignment {
  readonly plan: ServicePlan
  readonly driver: ServiceType<unknown>
  readonly port: number | undefined
  readonly url: string | null
  readonly dependencies: readonly Dependency[]
  /** Whether another service waits for this one to complete. */
  readonly awaitedToComplete: boolean
}

/** What a supervisor asks of the kernel. */
export interface SupervisorHost {
  readonly state: ServiceState
  readonly log: ServiceLog
  /** The driver's view of the service, its environment resolved now. */
  run(assignment: Assignment, signal: AbortSignal): Promise<Run<unknown>>
  /** Before a start: the port is this service's, and free. Throws PORT_TAKEN. */
  claimPort(assignment: Assignment): Promise<void>
  releasePort(assignment: Assignment): void
  starting(): Promise<void>
  ready(address: string | undefined): Promise<void>
  gone(): Promise<void>
  /** The instance changed: keep what a later daemon needs (null: it ended). */
  persist(instance: Instance | null): void
  warn(message: string, hint?: string): void
  /** The port the service's processes listen on instead of its own, if they do. */
  otherPort(instance: Instance, port: number): Promise<number | undefined>
}

/** One service's state machine: waits, starts, watches, restarts, stops. One run at a time. */
export class Supervisor {
  readonly #host: SupervisorHost
  readonly #policy = new RestartPolicy()
  #assignment: Assignment | undefined
  #abort = new AbortController()
  #life: Promise<void> | undefined
  #instance: Instance | undefined
  #prepared = false

  constructor(host: SupervisorHost) {
    this.#host = host
  }

  get assignment(): Assignment | undefined {
    return this.#assignment
  }

  get instance(): Instance | undefined {
    return this.#instance
  }

  /** Whether a run is under way. */
  get active(): boolean {
    return this.#life !== undefined
  }

  /** Begins a run; the state tells how it goes. Does nothing when one is under way. */
  start(assignment: Assignment, adopted?: { readonly instance: Instance; readonly ready: boolean }): void {
    if (this.active) return
    this.#assignment = assignment
    this.#abort = new AbortController()
    this.#prepared = adopted !== undefined
    this.#policy.forget()
    const { port, url } = assignment
    const status = adopted === undefined ? 'waiting' : adopted.ready ? 'running' : 'starting'
    this.#host.state.set({
      status,
      health: null,
      reason: null,
      port: port ?? null,
      url,
      launched: adopted !== undefined,
    })
    const { signal } = this.#abort
    this.#life = this.#live(assignment, signal, adopted).finally(() => {
      this.#life = undefined
      this.#host.releasePort(assignment)
    })
  }

  /** Takes over options that need no new process. */
  update(plan: ServicePlan): void {
    if (this.#assignment !== undefined) this.#assignment = { ...this.#assignment, plan }
  }

  /** Ends the run, whatever it is doing. `as`: what it shows meanwhile; `restarting` keeps the proxy holding requests. */
  async stop(as: Status = 'stopping', reason: string | null = null): Promise<void> {
    const life = this.#life
    if (life === undefined) {
      if (as === 'stopping') this.#host.state.set({ status: 'stopped', health: null, reason, pid: null })
      return
    }
    this.#host.state.set({ status: as, health: null, reason })
    this.#abort.abort(new LocaldError('SERVICE_FAILED', 'it was stopped'))
    await life
    if (as === 'stopping') this.#host.state.set({ status: 'stopped', health: null, reason, pid: null })
  }

  /** The whole run: dependencies, then start, live, and again while the policy says so. Never rejects. */
  async #live(
    assignment: Assignment,
    signal: AbortSignal,
    adopted?: { readonly instance: Instance; readonly ready: boolean },
  ): Promise<void> {
    const { state } = this.#host
    try {
      if (adopted === undefined) await this.#awaitDependencies(assignment, signal)
      for (let round = 0; !signal.aborted; round++) {
        const old = round === 0 ? adopted : undefined
        const run = await this.#host.run(assignment, signal)
        const instance = old?.instance ?? (await this.#launch(assignment, run, signal))
        const exit = await this.#attend(instance, run, assignment, signal, old?.ready === true)
        await this.#host.gone()
        if (signal.aborted) return
        const { restart } = this.#assignment?.plan.common ?? assignment.plan.common
        const verdict = this.#policy.judge(restart, exit, Date.now() - instance.startedMs)
        if (verdict.kind === 'again') {
          state.set({
            status: 'restarting',
            health: null,
            reason: verdict.reason,
            pid: null,
            restarts: state.now.restarts + 1,
          })
          await pause(verdict.delayMs, signal)
          continue
        }
        this.#settle(verdict.kind === 'done' ? 'exited' : 'failed', verdict.reason)
        return
      }
    } catch (error) {
      if (signal.aborted) return
      const { message, hint } = LocaldError.from(error)
      this.#settle('failed', hint === undefined ? message : `${message} (${hint})`)
    }
  }

  #settle(status: 'exited' | 'failed', reason: string): void {
    this.#host.state.set({ status, health: null, reason, pid: null })
    this.#host.persist(null)
  }

  async #awaitDependencies({ dependencies }: Assignment, signal: AbortSignal): Promise<void> {
    // All of an `up` are marked as waiting before the first is judged.
    await null
    const open = new Set(dependencies)
    const tell = () => {
      const names = [...open].map(({ name, condition }) => (condition === 'ready' ? name : `${name} (${condition})`))
      if (names.length > 0) this.#host.state.set({ status: 'waiting', reason: `waiting for ${names.join(', ')}` })
    }
    const waits = dependencies.map(async dependency => {
      await dependency.state.until(() => dependency.state.meets(dependency.condition), signal)
      open.delete(dependency)
      tell()
    })
    tell()
    await Promise.all(waits)
  }

  async #launch(assignment: Assignment, run: Run<unknown>, signal: AbortSignal): Promise<Instance> {
    this.#host.state.set({ status: 'starting', health: 'starting', reason: null })
    await this.#host.claimPort(assignment)
    await this.#host.starting()
    if (!this.#prepared) {
      await assignment.driver.prepare?.(run)
      this.#prepared = true
    }
    signal.throwIfAborted()
    return assignment.driver.start(run)
  }

  /** Watches an instance to its end; a stop request ends it. */
  async #attend(
    instance: Instance,
    run: Run<unknown>,
    assignment: Assignment,
    signal: AbortSignal,
    wasReady: boolean,
  ): Promise<Exit> {
    const { state } = this.#host
    this.#instance = instance
    const { pid, startedMs } = instance
    state.set({ pid, startedMs, launched: true })
    this.#host.persist(instance)
    const over = new AbortController()
    const finish = () => over.abort()
    signal.addEventListener('abort', finish, { once: true })
    if (signal.aborted) finish()
    const ended = instance.exited.then(exit => {
      finish()
      return exit
    })
    const watch = new Watch({ host: this.#host, assignment, instance, run, signal: over.signal })
    const watching = watch.run(wasReady)
    await Promise.race([ended, aborted(signal)])
    if (signal.aborted) {
      const { stopSignal, stopTimeout } = this.#assignment?.plan.common ?? assignment.plan.common
      await instance.stop({ signal: stopSignal, graceMs: stopTimeout })
    }
    const exit = await ended
    await watching
    signal.removeEventListener('abort', finish)
    this.#instance = undefined
    return exit
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise(resolve => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
}
