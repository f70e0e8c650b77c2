import type { Exit, InsideCheck, Instance, LogSink } from '../../../kernel/contract/plugin.ts'
import { removeContainer } from '../calls/containers.ts'
import type { ContainerEvent } from '../calls/event-lines.ts'
import type { EngineEvents } from '../calls/events.ts'
import { tryEngine } from '../calls/run-engine.ts'
import type { Healthcheck } from '../images/facts.ts'
import type { LogFollower } from '../logs/follower.ts'
import type { Engine } from '../provides.ts'
import { exitOf } from './exit.ts'
import { checkInside, HealthProbe } from './health.ts'
import { type ProbedPort, probePort } from './inside-port.ts'
import { type Inspected, inspectContainer } from './inspect.ts'
import type { ContainerState } from './state.ts'

/** What an instance needs. */
export interface ContainerInstanceInput {
  readonly engine: Engine
  readonly state: ContainerState
  readonly events: EngineEvents
  /** Adopted from an earlier daemon: it may have exited already. */
  readonly isAdopted: boolean
  readonly healthcheck: Healthcheck | undefined
  /** Undefined: it has none. */
  readonly port: ProbedPort | undefined
  readonly log: LogSink
  readonly followed: LogFollower
  /** Called once it has exited and its container is removed. */
  readonly removed: () => Promise<void>
}

/** A container that does not exit within this time after SIGKILL is left to the engine: ms. */
const unresponsiveMs = 15_000
/** 128 and the number of SIGKILL. */
const killedCode = 137

/** A container of a service. */
export class ContainerInstance implements Instance {
  /** Its processes are not of this machine's process table, as far as locald looks. */
  readonly pid = null
  readonly startedMs: number
  readonly exited: Promise<Exit>
  readonly state: ContainerState
  readonly probe?: () => Promise<boolean | InsideCheck>
  readonly probeEvery?: number
  readonly #input: ContainerInstanceInput
  #reason: string | undefined
  #hasExited = false

  constructor(input: ContainerInstanceInput) {
    this.#input = input
    this.state = input.state
    this.startedMs = input.state.startedMs
    this.exited = this.#supervise()
    const { engine, state, healthcheck, port } = input
    if (healthcheck !== undefined) {
      const probe = new HealthProbe(engine, state.container, healthcheck)
      this.probe = () => probe.probe()
      this.probeEvery = probe.interval
    } else if (port !== undefined && state.pid !== undefined) {
      const { pid } = state
      this.probe = () => probePort(pid, port)
    }
  }

  check(command: string, timeoutMs: number, signal: AbortSignal): Promise<InsideCheck> {
    return checkInside(this.#input.engine, this.state.container, command, timeoutMs, signal)
  }

  exitReason(): string | undefined {
    return this.#reason
  }

  async stop({ signal, graceMs }: { readonly signal: string; readonly graceMs: number }): Promise<void> {
    if (graceMs > 0 && signal !== 'SIGKILL') {
      await this.#kill(signal)
      if (await this.#exitsWithin(graceMs)) return
      if (!this.#hasExited)
        this.#input.log.write('locald', `did not exit within ${graceMs / 1000} s of ${signal} and was killed`)
    }
    await this.#kill('SIGKILL')
    if (await this.#exitsWithin(unresponsiveMs * (this.#input.engine.patience ?? 1))) return
    throw new Error(`${this.#input.engine.name} does not stop container ${this.state.name}`)
  }

  /** Fails where the container has exited already, or was removed: its event then says so. */
  async #kill(signal: string): Promise<void> {
    if (this.#hasExited) return
    await tryEngine(this.#input.engine, ['kill', '--signal', signal, this.state.container])
  }

  async #exitsWithin(ms: number): Promise<boolean> {
    const late = new Promise<false>(resolve => {
      const timer = setTimeout(() => resolve(false), ms)
      void this.exited.then(() => clearTimeout(timer))
    })
    return await Promise.race([this.exited.then(() => true), late])
  }

  /** Waits for the container's end, then reads the rest of its log and removes it. */
  async #supervise(): Promise<Exit> {
    const { engine, state, followed, removed } = this.#input
    const end = await this.#exitEvent()
    this.#hasExited = true
    // Its VM is down: nothing can be asked, and what is left of it the next start removes.
    if (end.kind === 'lost') return await this.#leave()
    const found = needsLook(end) ? await inspectContainer(engine, state.container) : undefined
    await followed.drained()
    // With -v: the volumes without a name that images declare and nothing mounts.
    if (end.kind !== 'removed') await removeContainer(engine, state.container)
    followed.close()
    this.#reason = end.kind === 'removed' ? 'its container was removed' : explainExit(found)
    await removed()
    return exitOf(end.kind === 'died' ? (end.code ?? found?.exitCode ?? null) : null)
  }

  async #leave(): Promise<Exit> {
    const { engine, followed, removed } = this.#input
    followed.close()
    this.#reason = `the VM of ${engine.name} stopped`
    await removed()
    return exitOf(null)
  }

  /** Resolves with the event of its exit. One from before it was watched counts. */
  #exitEvent(): Promise<ContainerEvent> {
    const { engine, state, events, isAdopted } = this.#input
    return new Promise(resolve => {
      const off = events.watch(state.container, state.startedMs, event => {
        if (event.kind === 'out-of-memory') return
        off()
        resolve(event)
      })
      if (isAdopted)
        void inspectContainer(engine, state.container).then(found => {
          if (found?.isRunning === true) return
          off()
          resolve(found === undefined ? { kind: 'removed' } : { kind: 'died', code: found.exitCode })
        })
    })
  }
}

/** Whether an event leaves open why the container exited: 128 + SIGKILL may be a lack of memory. */
function needsLook(event: ContainerEvent): boolean {
  return event.kind === 'died' && (event.code === null || event.code === killedCode)
}

/** Returns why a container exited, beyond its code. */
function explainExit(found: Inspected | undefined): string | undefined {
  if (found?.wasOutOfMemory === true) return 'was killed for lack of memory; raise its `memory`'
  return found === undefined || found.error === '' ? undefined : found.error
}
