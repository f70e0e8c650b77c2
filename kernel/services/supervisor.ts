import type { Exit, Instance, Run, ServicePlan } from '../contract/plugin.ts'
import { LocaldError, messageOf } from '../errors.ts'
import type { Status } from '../events.ts'
import { pause, unlessStopped } from '../system/async.ts'
import { Watch } from './health/readiness.ts'
import { RestartPolicy } from './restart-policy.ts'
import type { Adopted, Assignment, SupervisorHost } from './run-plan.ts'

/** An instance under way, and what it was started with. */
interface Round {
  readonly assignment: Assignment
  readonly run: Run<unknown>
  readonly instance: Instance
  readonly wasReady: boolean
}

/** This often an assigned port that was taken meanwhile is changed for another at one start. */
const moves = 3

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
  start(assignment: Assignment, adopted?: Adopted): void {
    if (this.active) return
    this.#assignment = assignment
    this.#abort = new AbortController()
    this.#prepared = adopted !== undefined
    this.#policy.forget()
    const status = adopted === undefined ? 'waiting' : adopted.ready ? 'running' : 'starting'
    this.#host.state.set({
      status,
      health: status === 'starting' ? 'starting' : null,
      reason: null,
      port: assignment.port ?? null,
      url: assignment.url,
      launched: adopted !== undefined,
      ...(adopted === undefined ? { restarts: 0 } : {}),
    })
    if (adopted !== undefined) this.#host.holdPort(assignment)
    this.#life = this.#live(assignment, this.#abort.signal, adopted).finally(() => {
      this.#life = undefined
      this.#host.releasePort(this.#assignment ?? assignment)
    })
  }

  /** Takes over options that need no new process. */
  update(plan: ServicePlan): void {
    if (this.#assignment !== undefined) this.#assignment = { ...this.#assignment, plan }
  }

  /** Ends the run, whatever it is doing. `as`: what it shows meanwhile; `restarting` keeps the proxy holding requests. */
  async stop(as: Status = 'stopping', reason: string | null = null): Promise<void> {
    const life = this.#life
    if (life !== undefined) {
      this.#host.state.set({ status: as, health: null, reason })
      if (as === 'restarting' && this.#instance !== undefined) this.#host.persist(this.#instance)
      this.#abort.abort(new LocaldError('SERVICE_FAILED', 'it was stopped'))
      await life
    }
    if (as === 'stopping') this.#host.state.set({ status: 'stopped', health: null, reason, pid: null })
  }

  /** The whole run: dependencies, then start, live, and again while the policy says so. Never rejects. */
  async #live(first: Assignment, signal: AbortSignal, adopted: Adopted | undefined): Promise<void> {
    try {
      let round = adopted === undefined ? undefined : await this.#resume(first, adopted, signal)
      if (round === undefined) await this.#awaitDependencies(first, signal)
      // What was taken over is attended even if it is to be stopped already: nobody else ends it.
      while (round !== undefined || !signal.aborted) {
        round ??= await this.#launch(this.#assignment ?? first, signal)
        const attendedMs = performance.now()
        const exit = await this.#attend(round, signal)
        round = undefined
        await this.#host.gone()
        if (signal.aborted) return
        const ranMs = performance.now() - attendedMs
        const cause = exit.code === 0 ? undefined : await this.#host.explain({ code: exit.code, runs: false })
        if (signal.aborted) return
        const { restart } = (this.#assignment ?? first).plan.common
        const verdict = this.#policy.judge(restart, { ...exit, cause }, ranMs)
        if (verdict.kind !== 'again') return this.#settle(verdict.kind === 'done' ? 'exited' : 'failed', verdict.reason)
        this.#host.restartedFor = verdict.crash
        await this.#backOff(verdict.reason, verdict.delayMs, signal)
      }
    } catch (error) {
      if (signal.aborted) return
      this.#settle('failed', textOf(LocaldError.from(error)))
    }
  }

  #settle(status: 'exited' | 'failed', reason: string): void {
    this.#host.state.set({ status, health: null, reason, pid: null })
    this.#host.persist(null)
  }

  async #backOff(reason: string, delayMs: number, signal: AbortSignal): Promise<void> {
    const { state } = this.#host
    state.set({ status: 'restarting', health: null, reason, pid: null, restarts: state.now.restarts + 1 })
    await pause(delayMs, signal)
  }

  /** Resolves when all are met. While one cannot be, the service has failed by it, and waits on when that changes. */
  async #awaitDependencies({ dependencies }: Assignment, signal: AbortSignal): Promise<void> {
    // All of an `up` are marked as waiting before the first is judged.
    await null
    for (;;) {
      const round = new AbortController()
      try {
        return await this.#dependenciesMet(dependencies, AbortSignal.any([signal, round.signal]))
      } catch (error) {
        if (signal.aborted || !LocaldError.is(error)) throw error
        this.#settle('failed', textOf(error))
      } finally {
        round.abort()
      }
      for (const { state, condition } of dependencies) await state.until(() => state.mayMeet(condition), signal)
    }
  }

  async #dependenciesMet(dependencies: Assignment['dependencies'], signal: AbortSignal): Promise<void> {
    const open = new Set(dependencies)
    const tell = () => {
      const names = [...open].map(({ name, condition }) => (condition === 'ready' ? name : `${name} (${condition})`))
      if (names.length > 0) this.#host.state.set({ status: 'waiting', reason: `waiting for ${names.join(', ')}` })
    }
    const waits = dependencies.map(async dependency => {
      await dependency.state.until(() => dependency.state.meets(dependency.condition), signal)
      open.delete(dependency)
      if (!signal.aborted) tell()
    })
    tell()
    await Promise.all(waits)
  }

  async #resume(assignment: Assignment, { instance, ready }: Adopted, signal: AbortSignal): Promise<Round> {
    return { assignment, run: await this.#host.run(assignment, signal), instance, wasReady: ready }
  }

  /** A new instance. Stopped meanwhile, it rejects; a step that does not end then is left behind after the stop's grace. */
  async #launch(wanted: Assignment, signal: AbortSignal): Promise<Round> {
    this.#host.state.set({ status: 'starting', health: 'starting', reason: null, tries: 0 })
    const assignment = await this.#claim(wanted, signal)
    const run = await this.#host.run(assignment, signal)
    const { driver, plan } = assignment
    const { stopSignal, stopTimeout } = plan.common
    signal.throwIfAborted()
    try {
      await this.#host.starting()
      if (!this.#prepared) await unlessStopped(driver.prepare?.(run) ?? Promise.resolve(), signal, stopTimeout)
      this.#prepared = true
      signal.throwIfAborted()
      const endLate = (late: Instance) => void late.stop({ signal: stopSignal, graceMs: stopTimeout }).catch(() => {})
      const instance = await unlessStopped(driver.start(run), signal, stopTimeout, endLate)
      return { assignment, run, instance, wasReady: false }
    } catch (error) {
      await this.#host.gone()
      throw error
    }
  }

  /** The assignment with a port that is this service's, and free. */
  async #claim(wanted: Assignment, signal: AbortSignal): Promise<Assignment> {
    let assignment = wanted
    for (let left = moves; ; left--) {
      signal.throwIfAborted()
      try {
        await this.#host.claimPort(assignment)
        return assignment
      } catch (error) {
        const isTaken = LocaldError.is(error) && error.code === 'PORT_TAKEN'
        if (!isTaken || assignment.anotherPort === undefined || left === 0) throw error
      }
      this.#host.releasePort(assignment)
      assignment = { ...assignment, port: await assignment.anotherPort() }
      this.#assignment = assignment
      this.#host.state.set({ port: assignment.port ?? null })
    }
  }

  /** Watches an instance to its end; a stop request ends it. */
  async #attend({ assignment, run, instance, wasReady }: Round, signal: AbortSignal): Promise<Exit> {
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
    const watching = new Watch({ host: this.#host, assignment, instance, run, signal: over.signal }).run(wasReady)
    try {
      await aborted(over.signal)
      if (signal.aborted) await this.#end(instance, assignment)
      return await ended
    } catch (error) {
      this.#host.warn(`${assignment.plan.name} could not be stopped: ${messageOf(error)}`)
      return { code: null, signal: null }
    } finally {
      await watching
      signal.removeEventListener('abort', finish)
      this.#instance = undefined
    }
  }

  async #end(instance: Instance, assignment: Assignment): Promise<void> {
    await this.#host.stopping()
    const { stopSignal, stopTimeout } = (this.#assignment ?? assignment).plan.common
    await instance.stop({ signal: stopSignal, graceMs: stopTimeout })
  }
}

function textOf({ message, hint }: LocaldError): string {
  return hint === undefined ? message : `${message} (${hint})`
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise(resolve => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
}
