import type { Instance, ServicePlan } from '../contract/plugin.ts'
import { LocaldError, messageOf } from '../errors.ts'
import type { Status } from '../events.ts'
import { pause, withStopGrace } from '../system/async.ts'
import { awaitDependencies } from './await-dependencies.ts'
import { ReadinessWatch } from './health/readiness.ts'
import { type ExplainedExit, RestartPolicy } from './restart-policy.ts'
import type { Dependency, StartPlan } from './start-plan.ts'
import type { Adopted, SupervisorHost } from './supervisor-host.ts'

/** An assigned port that is in use is changed for another one at most this often in one start. */
const moves = 3

/** One service's state machine: waits, starts, watches, restarts, stops. One run at a time. */
export class Supervisor {
  readonly #host: SupervisorHost
  readonly #policy = new RestartPolicy()
  #plan: StartPlan | undefined
  #abort = new AbortController()
  #run: Promise<void> | undefined
  #instance: Instance | undefined
  /** Whether the run waits for others, or has not begun its first start. */
  #isWaiting = false
  /** Whether the driver prepared the service in this run. */
  #isPrepared = false

  constructor(host: SupervisorHost) {
    this.#host = host
  }

  /** What the present run was started with, or the last one. */
  get plan(): StartPlan | undefined {
    return this.#plan
  }

  get instance(): Instance | undefined {
    return this.#instance
  }

  /** Whether a run is under way. */
  get active(): boolean {
    return this.#run !== undefined
  }

  /** Begins a run; the state shows how it goes. Does nothing when one is under way. */
  start(plan: StartPlan, adopted?: Adopted): void {
    if (this.active) return
    this.#plan = plan
    this.#abort = new AbortController()
    this.#isPrepared = adopted !== undefined
    this.#isWaiting = adopted === undefined
    this.#policy.forget()
    const status = adopted === undefined ? 'waiting' : adopted.ready ? 'running' : 'starting'
    this.#host.state.set({
      status,
      health: status === 'starting' ? 'starting' : null,
      reason: null,
      port: this.#host.foundPort ?? plan.port ?? null,
      url: plan.url,
      launched: adopted !== undefined,
      ...(adopted === undefined ? { restarts: 0 } : {}),
    })
    if (adopted !== undefined) this.#host.holdPort(plan)
    this.#run = this.#supervise(plan, this.#abort.signal, adopted).finally(() => {
      this.#run = undefined
      this.#host.releasePort(this.#plan ?? plan)
    })
  }

  /** Whether a plan that is otherwise the same needs a new run: the present one waits for other services. */
  waitsForOthers({ dependencies }: StartPlan): boolean {
    const present = this.#plan?.dependencies ?? []
    const differs = (all: readonly Dependency[], { state, condition }: Dependency) =>
      !all.some(other => other.state === state && other.condition === condition)
    return (
      this.#isWaiting &&
      (present.some(each => differs(dependencies, each)) || dependencies.some(each => differs(present, each)))
    )
  }

  /** Adopts a plan that needs no new process. A process that was started keeps its environment. */
  update(next: StartPlan): void {
    if (this.#plan === undefined) return
    this.#plan = this.#isWaiting ? next : { ...this.#plan, plan: next.plan, renew: next.renew }
  }

  /** Remembers what the last run was started with, when an earlier daemon did that. */
  restore(plan: StartPlan): void {
    this.#plan = plan
  }

  /** Stops the run at any point. `as`: the status meanwhile; `restarting` keeps requests to it waiting. */
  async stop(as: Status = 'stopping', reason: string | null = null): Promise<void> {
    const run = this.#run
    if (run !== undefined) {
      this.#host.state.set({ status: as, health: null, reason })
      // It stays one that is meant to run: a daemon that finds it half-stopped must know why.
      const isToReturn = as === 'restarting' || this.#host.state.now.asleepMs !== null
      if (isToReturn && this.#instance !== undefined) this.#host.persist(this.#instance)
      this.#abort.abort(new LocaldError('SERVICE_FAILED', 'stopped by request'))
      await run
    }
    if (as === 'stopping') this.#host.state.set({ status: 'stopped', health: null, reason, pid: null })
  }

  /** Runs from waiting for dependencies to the last exit, restarting as the policy says. Never rejects. */
  async #supervise(first: StartPlan, signal: AbortSignal, adopted: Adopted | undefined): Promise<void> {
    try {
      let instance = adopted?.instance
      let wasReady = adopted?.ready ?? false
      if (adopted === undefined) await awaitDependencies(first.dependencies, this.#host.state, this.#fail, signal)
      // An adopted process is supervised even while stopping: no one else would stop it.
      while (instance !== undefined || !signal.aborted) {
        instance ??= await this.#launch(this.#plan ?? first, signal)
        const startedMs = performance.now()
        const exit = await this.#attend(instance, this.#plan ?? first, wasReady, signal)
        instance = undefined
        wasReady = false
        await this.#host.exited(exit)
        if (signal.aborted) return
        const ranMs = performance.now() - startedMs
        const cause = exit.code === 0 ? undefined : await this.#host.explain({ code: exit.code, runs: false })
        if (signal.aborted) return
        const { restart } = (this.#plan ?? first).plan.common
        const decision = this.#policy.decide(restart, { ...exit, cause }, ranMs)
        if (decision.kind !== 'restart')
          return this.#settle(decision.kind === 'done' ? 'exited' : 'failed', decision.reason)
        this.#host.restartedFor = decision.crash
        await this.#backOff(decision.reason, decision.delayMs, signal)
      }
    } catch (error) {
      if (signal.aborted) return
      this.#fail(LocaldError.from(error))
    }
  }

  readonly #fail = (error: LocaldError): void => this.#settle('failed', failureText(error))

  #settle(status: 'exited' | 'failed', reason: string): void {
    this.#host.state.set({ status, health: null, reason, pid: null })
    this.#host.persist(null)
  }

  async #backOff(reason: string, delayMs: number, signal: AbortSignal): Promise<void> {
    const { state } = this.#host
    state.set({ status: 'restarting', health: null, reason, pid: null, restarts: state.now.restarts + 1 })
    await pause(delayMs, signal)
  }

  /** Starts an instance. Rejects when stopped meanwhile; a step that outlasts the stop's grace is abandoned. */
  async #launch(wanted: StartPlan, signal: AbortSignal): Promise<Instance> {
    this.#host.state.set({ status: 'starting', health: 'starting', reason: null, tries: 0 })
    if (this.#isWaiting) await this.#renew(wanted)
    this.#isWaiting = false
    const plan = await this.#claim(this.#plan ?? wanted, signal)
    const run = this.#host.run(plan, signal)
    const { stopSignal, stopTimeout } = plan.plan.common
    signal.throwIfAborted()
    try {
      await this.#host.starting()
      if (!this.#isPrepared) await withStopGrace(plan.driver.prepare?.(run) ?? Promise.resolve(), signal, stopTimeout)
      this.#isPrepared = true
      signal.throwIfAborted()
      const stopLate = (late: Instance) => void late.stop({ signal: stopSignal, graceMs: stopTimeout }).catch(() => {})
      return await withStopGrace(plan.driver.start(run), signal, stopTimeout, stopLate)
    } catch (error) {
      await this.#host.exited()
      throw error
    }
  }

  /** Renews the plan, with the updates that come meanwhile. */
  async #renew(wanted: StartPlan): Promise<void> {
    for (;;) {
      const plan = this.#plan ?? wanted
      const renewed = await plan.renew()
      if (plan === (this.#plan ?? wanted)) {
        this.#plan = renewed
        return
      }
    }
  }

  /** Returns the plan with a port that is free, and claimed for this service. */
  async #claim(wanted: StartPlan, signal: AbortSignal): Promise<StartPlan> {
    let plan = wanted
    for (let left = moves; ; left--) {
      signal.throwIfAborted()
      try {
        await this.#host.claimPort(plan)
        return plan
      } catch (error) {
        this.#host.releasePort(plan)
        const isTaken = LocaldError.is(error) && error.code === 'PORT_TAKEN'
        if (!isTaken || left === 0 || (await plan.movePort?.()) !== true) throw error
      }
      plan = await plan.renew()
      this.#plan = plan
      this.#host.state.set({ port: plan.port ?? null })
    }
  }

  /** Watches an instance until it exits; a stop request stops it. */
  async #attend(instance: Instance, plan: StartPlan, wasReady: boolean, signal: AbortSignal): Promise<ExplainedExit> {
    const { state } = this.#host
    this.#instance = instance
    this.#showProcess(instance)
    const over = new AbortController()
    const finish = () => over.abort()
    signal.addEventListener('abort', finish, { once: true })
    if (signal.aborted) finish()
    const exited = instance.exited.then(exit => {
      finish()
      return exit
    })
    const stopNotes = instance.on?.(event => {
      if (event.event === 'process') this.#showProcess(instance)
      else if (event.event === 'note') state.note('instance', event.text ?? undefined)
      else if (event.event === 'run') this.#host.noteRun(event.exit)
    })
    const watching = new ReadinessWatch({ host: this.#host, plan, instance, signal: over.signal }).run(wasReady)
    try {
      await waitForAbort(over.signal)
      if (signal.aborted) await this.#stopInstance(instance, (this.#plan ?? plan).plan)
      return { ...(await exited), by: this.#exitReasonOf(instance) }
    } catch (error) {
      this.#host.warn(`${plan.plan.name} could not be stopped: ${messageOf(error)}`)
      return { code: null, signal: null }
    } finally {
      await watching
      stopNotes?.()
      state.note('instance', undefined)
      signal.removeEventListener('abort', finish)
      this.#instance = undefined
      this.#forgetFoundPort(this.#plan ?? plan)
    }
  }

  #showProcess(instance: Instance): void {
    const { pid, startedMs } = instance
    this.#host.state.set({ pid, startedMs, launched: true })
    this.#host.persist(instance)
  }

  /** Another service may listen there next, as the first free port is the same for both. */
  #forgetFoundPort({ port }: StartPlan): void {
    if (this.#host.foundPort === undefined) return
    this.#host.foundPort = undefined
    this.#host.state.set({ port: port ?? null })
  }

  #exitReasonOf(instance: Instance): string | undefined {
    try {
      return instance.exitReason?.()
    } catch (error) {
      this.#host.warn(messageOf(error))
      return undefined
    }
  }

  async #stopInstance(instance: Instance, { common }: ServicePlan): Promise<void> {
    await this.#host.stopping()
    await instance.stop({ signal: common.stopSignal, graceMs: common.stopTimeout })
  }
}

/** Returns an error with its hint, as the reason of a service that failed. */
export function failureText({ message, hint }: LocaldError): string {
  return hint === undefined ? message : `${message} (${hint})`
}

function waitForAbort(signal: AbortSignal): Promise<void> {
  return new Promise(resolve => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
}
