import { join, resolve } from 'node:path'
import type {
  Fault,
  Instance,
  Listener,
  Log,
  ProjectRef,
  Protocol,
  Run,
  ServicePlan,
  ServiceRef,
} from '../contract/plugin.ts'
import { messageOf } from '../errors.ts'
import type { Events, LocaldEvent } from '../events.ts'
import type { Logs, ServiceLog } from '../logs/service-log.ts'
import { logTail } from '../logs/tail.ts'
import type { Container } from '../plugins/container.ts'
import type { HookRuns } from '../plugins/hooks.ts'
import type { Ports } from '../registry/ports.ts'
import { explain } from './failure/failure.ts'
import { findFault } from './failure/unreachable.ts'
import type { Records } from './records/records.ts'
import { StartClock } from './start-clock.ts'
import type { StartPlan } from './start-plan.ts'
import { ServiceState } from './state.ts'
import { Supervisor } from './supervisor.ts'
import type { SupervisorHost } from './supervisor-host.ts'

/** The parts of the kernel a service works with. */
export interface ServiceParts {
  readonly events: Events
  readonly hooks: HookRuns
  readonly logs: Logs
  readonly ports: Ports
  readonly records: Records
  readonly container: Container
  readonly log: Log
  readonly dataFolder: string
}

/** The cause of a failure is looked for in this many last lines of a run. */
const explainedLines = 300

/** One service of one project: its state, its supervisor, and what that needs of the kernel. */
export class Service implements SupervisorHost {
  readonly ref: ServiceRef
  readonly state: ServiceState
  readonly log: ServiceLog
  readonly supervisor: Supervisor
  readonly clock = new StartClock()
  /** Host names that belong to it, the main one first. */
  hosts: readonly string[] = []
  /** What it speaks there, if its type says so. */
  protocol: Protocol | undefined
  /** Where it was last seen to listen. */
  address: string | undefined
  /** The name of the `up` that has begun its present run, if it gave one. */
  begunBy: string | undefined
  /** The crash, or the change of files, that its last restart was for. */
  restartedFor: string | undefined
  readonly #parts: ServiceParts
  /** The instance of which no fault was found. */
  #sound: Instance | undefined
  #examining: Promise<Fault | undefined> | undefined
  /** What the last look found, of which run, and until when it counts: ms of performance.now(). */
  #looked:
    | { readonly instance: Instance | undefined; readonly fault: Fault | undefined; readonly untilMs: number }
    | undefined

  constructor(ref: ServiceRef, parts: ServiceParts) {
    this.ref = ref
    this.#parts = parts
    this.log = parts.logs.of(ref.project.name, ref.name)
    this.state = new ServiceState(ref, view => parts.events.emit({ event: 'service', service: view }))
    this.supervisor = new Supervisor(this)
  }

  /** The fingerprint of the present run, or of the last one. */
  get fingerprint(): string | undefined {
    return this.supervisor.plan?.fingerprint
  }

  /** The environment of the present run, or of the last one. */
  get env(): Readonly<Record<string, string>> | undefined {
    return this.supervisor.plan?.env
  }

  /** When its process was started last; before that, when its run was begun: ms since the epoch, as its log has it. */
  get lastStartMs(): number {
    const { launched, startedMs } = this.state.now
    return launched && startedMs !== null ? startedMs : this.clock.begunMs
  }

  /** Remembers what an earlier daemon started it with, and where it was seen to listen. */
  recall(plan: StartPlan, address: string | undefined): void {
    this.address = address
    this.supervisor.recall(plan)
  }

  run({ plan, port, env, dir }: StartPlan, signal: AbortSignal): Run<unknown> {
    const { ref, log } = this
    const { events, dataFolder } = this.#parts
    return {
      project: ref.project,
      name: ref.name,
      key: ref.key,
      options: plan.options,
      ...{ port, env, dir },
      data: join(dataFolder, 'services', ref.project.name, ref.name),
      stopSignal: plan.common.stopSignal,
      stopTimeout: plan.common.stopTimeout,
      ...{ log, signal },
      step(text, progress) {
        events.emit({ event: 'step', key: ref.key, text, ...(progress === undefined ? {} : { progress }) })
      },
    }
  }

  async claimPort({ port }: StartPlan): Promise<void> {
    if (port === undefined) return
    this.#parts.ports.hold(port, this.ref.key)
    await this.#parts.ports.check(port, this.ref.key)
  }

  holdPort({ port }: StartPlan): void {
    try {
      if (port !== undefined) this.#parts.ports.hold(port, this.ref.key)
    } catch (error) {
      this.warn(messageOf(error))
    }
  }

  releasePort({ port }: StartPlan): void {
    if (port !== undefined) this.#parts.ports.release(port, this.ref.key)
  }

  starting(): Promise<void> {
    return this.#parts.hooks.starting(this.ref)
  }

  async ready(address: string | undefined): Promise<void> {
    this.address = address ?? this.address
    await this.#parts.hooks.ready(this.ref)
  }

  async stopping(): Promise<void> {
    await this.#parts.hooks.stopping(this.ref).catch(error => this.warn(messageOf(error)))
  }

  async gone(): Promise<void> {
    await this.#parts.hooks.gone(this.ref).catch(error => this.warn(messageOf(error)))
  }

  persist(instance: Instance | null): void {
    this.clock.saw(instance)
    const { status, health, reason, startedMs, restarts, port, launched } = this.state.now
    const { fingerprint, env, dir } = this.supervisor.plan ?? { fingerprint: '', env: {}, dir: this.ref.project.path }
    const { address } = this
    this.#parts.records.saveService({
      version: 1,
      path: this.ref.project.path,
      service: this.ref.name,
      state: instance?.state ?? null,
      ready: status === 'running' && health !== 'unhealthy',
      status,
      reason,
      startedMs,
      launched,
      restarts,
      port,
      ...(address === undefined ? {} : { address }),
      ...{ fingerprint, env, dir },
    })
  }

  warn(message: string, hint?: string): void {
    const event: LocaldEvent = { event: 'warning', key: this.ref.key, message, ...(hint === undefined ? {} : { hint }) }
    this.#parts.events.emit(event)
  }

  async explain(run: { readonly code: number | null; readonly runs: boolean }): Promise<string | undefined> {
    const lines = await logTail(this.log.file, this.lastStartMs, explainedLines)
    const holder = (port: number) => this.#parts.ports.holder(port)
    const root = this.ref.project.path
    return explain({ ...run, lines, dir: this.supervisor.plan?.dir ?? root, root, holder }).catch(() => undefined)
  }

  async isStrangers({ tree }: Instance, address: string, port: number): Promise<boolean> {
    if (tree === undefined) return false
    return (await this.#parts.container.optional('processTable')?.isStrangers({ address, port }, tree)) ?? false
  }

  async faultOf(instance: Instance, port: number, mayBeTls: boolean): Promise<Fault | undefined> {
    const { protocol } = this
    return await findFault(
      { name: this.ref.name, port, protocol, listeners: await this.#listeners(instance) },
      mayBeTls,
    )
  }

  /**
   * Looks why it cannot be reached; what is found is its reason from then on, until it is found no more. One look serves all who ask, and
   * those who ask soon after it: a look reads the processes of the machine, and takes a tenth of the time at most.
   */
  examine(): Promise<Fault | undefined> {
    const { instance } = this.supervisor
    const last = this.#looked
    if (last !== undefined && last.instance === instance && performance.now() < last.untilMs)
      return Promise.resolve(last.fault)
    const began = performance.now()
    this.#examining ??= this.#examine()
      .then(fault => {
        const ended = performance.now()
        this.#looked = { instance, fault, untilMs: ended + (ended - began) * 9 }
        return fault
      })
      .finally(() => {
        this.#examining = undefined
      })
    return this.#examining
  }

  async #examine(): Promise<Fault | undefined> {
    const { instance } = this.supervisor
    const { port, fault: before } = this.state.now
    if (instance === undefined || port === null) return undefined
    // A handshake is noise in the log of what speaks plain HTTP: one for each start is enough.
    const fault = await this.faultOf(instance, port, this.#sound !== instance)
    this.#sound = fault === undefined ? instance : undefined
    // What has ended meanwhile has another reason.
    if (this.supervisor.instance !== instance || this.state.now.status !== 'running') return undefined
    if (fault !== undefined && fault.message !== before?.message) {
      this.warn(fault.message, fault.hint)
      this.state.set({ health: 'unhealthy', reason: fault.message, fault })
    } else if (fault === undefined && before !== null && this.state.now.reason === before.message) {
      this.state.set({ health: 'healthy', reason: null })
    }
    return fault
  }

  /** Whether a process of this user, none of locald's, listens on its port while it does not run. */
  async hasStandIn(): Promise<boolean> {
    const { port } = this.state.now
    const { ports, container } = this.#parts
    if (port === null || this.supervisor.active || ports.isHeld(port)) return false
    return (await container.optional('processTable')?.owns(port)) ?? false
  }

  async #listeners(instance: Instance): Promise<readonly Listener[]> {
    const table = this.#parts.container.optional('processTable')
    if (table === undefined || instance.tree === undefined) return []
    try {
      return await table.listeners((await table.members(instance.tree)).map(({ pid }) => pid))
    } catch (error) {
      this.#parts.log.warn(`${this.ref.key}: its listeners could not be read: ${messageOf(error)}`)
      return []
    }
  }
}

/** The service's working folder, absolute. */
export function workdirOf(project: ProjectRef, plan: ServicePlan): string {
  return resolve(project.path, plan.common.workdir ?? '.')
}
