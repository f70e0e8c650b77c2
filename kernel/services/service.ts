import { join, resolve } from 'node:path'
import type {
  Exit,
  Fault,
  Instance,
  Listener,
  Log,
  ProjectRef,
  Protocol,
  Run,
  ServicePlan,
  ServiceRef,
  ServiceType,
} from '../contract/plugin.ts'
import { messageOf } from '../errors.ts'
import type { Events, LocaldEvent } from '../events.ts'
import type { Logs, ServiceLog } from '../logs/service-log.ts'
import { logTail } from '../logs/tail.ts'
import type { Container } from '../plugins/container.ts'
import type { HookRuns } from '../plugins/hooks.ts'
import type { Ports } from '../registry/ports.ts'
import { explain } from './failure/failure.ts'
import { Reachability } from './failure/reachability.ts'
import type { Histories, History } from './history.ts'
import type { Records } from './records/records.ts'
import { StartClock } from './start-clock.ts'
import type { StartPlan } from './start-plan.ts'
import { StartTimes } from './start-times.ts'
import { ServiceState } from './state.ts'
import { Supervisor } from './supervisor.ts'
import type { SupervisorHost } from './supervisor-host.ts'

/** The parts of the kernel that a service needs. */
export interface ServiceParts {
  readonly events: Events
  readonly hooks: HookRuns
  readonly logs: Logs
  readonly ports: Ports
  readonly records: Records
  readonly histories: Histories
  readonly container: Container
  readonly log: Log
  readonly dataFolder: string
}

/** The cause of a failure is searched in this many last lines of a run. */
const explainedLines = 300

/** A service of a project: its state, its supervisor, and what the supervisor needs of the kernel. */
export class Service implements SupervisorHost {
  readonly ref: ServiceRef
  readonly state: ServiceState
  readonly log: ServiceLog
  readonly history: History
  readonly supervisor: Supervisor
  readonly clock = new StartClock()
  readonly startTimes = new StartTimes()
  /** Host names that belong to it, the main one first. */
  hosts: readonly string[] = []
  /** The protocol on its port, if its type says so. */
  protocol: Protocol | undefined
  /** The address on which it was last seen to listen. */
  address: string | undefined
  /** The port on which it was found to listen, while it ignores its own. */
  foundPort: number | undefined
  /** Whether a user has started it by its name: it then runs without use. */
  isKept = false
  /** Whether its present run was asked for by its name, or by a change of files that it watches. */
  isRequested = false
  /** When it was last seen in use: ms since the epoch. */
  usedMs = 0
  /** Clients that look at its terminal. */
  viewers = 0
  /** The name of the `up` that started its present run, if it gave one. */
  begunBy: string | undefined
  /** The crash, or the change of files, that caused its last restart. */
  restartedFor: string | undefined
  readonly #parts: ServiceParts
  readonly #reachability: Reachability

  constructor(ref: ServiceRef, parts: ServiceParts) {
    this.ref = ref
    this.#parts = parts
    this.log = parts.logs.of(ref.project.name, ref.name)
    this.history = parts.histories.of(ref.project.path, ref.name)
    this.state = new ServiceState(ref, view => {
      this.history.noteState(view)
      this.startTimes.note(this.state.now, Date.now())
      parts.events.emit({ event: 'service', service: view })
    })
    this.supervisor = new Supervisor(this)
    this.#reachability = new Reachability(this, parts)
  }

  /** The fingerprint of the present run, or of the last one. */
  get fingerprint(): string | undefined {
    return this.supervisor.plan?.fingerprint
  }

  /** The environment of the present run, or of the last one. */
  get env(): Readonly<Record<string, string>> | undefined {
    return this.supervisor.plan?.env
  }

  /** When its process was started last; before that, when its run began: ms since the epoch, the clock of its log. */
  get lastStartMs(): number {
    const { launched, startedMs } = this.state.now
    return launched && startedMs !== null ? startedMs : this.clock.begunMs
  }

  /** Remembers what an earlier daemon started it with, and where it was seen to listen. */
  restore(plan: StartPlan, address: string | undefined): void {
    this.address = address
    this.supervisor.restore(plan)
  }

  run({ plan, port, ports, hostPorts, env, dir }: StartPlan, signal: AbortSignal): Run<unknown> {
    const { ref, log } = this
    const { events, dataFolder } = this.#parts
    return {
      project: ref.project,
      name: ref.name,
      key: ref.key,
      options: plan.options,
      ...{ port, ports, hostPorts, env, dir, workdir: plan.common.workdir },
      isRequested: this.isRequested,
      hasWrittenPort: plan.common.port !== undefined,
      data: join(dataFolder, 'services', ref.project.name, ref.name),
      stopSignal: plan.common.stopSignal,
      stopTimeout: plan.common.stopTimeout,
      ...{ log, signal },
      step(text, progress) {
        events.emit({ event: 'step', key: ref.key, text, ...(progress === undefined ? {} : { progress }) })
      },
    }
  }

  async claimPort(plan: StartPlan): Promise<void> {
    for (const port of portsOf(plan)) {
      this.#parts.ports.hold(port, this.ref.key)
      await this.#parts.ports.check(port, this.ref.key)
    }
  }

  holdPort(plan: StartPlan): void {
    for (const port of portsOf(plan)) {
      try {
        this.#parts.ports.hold(port, this.ref.key)
      } catch (error) {
        this.warn(messageOf(error))
      }
    }
  }

  releasePort(plan: StartPlan): void {
    for (const port of portsOf(plan)) this.#parts.ports.release(port, this.ref.key)
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

  async exited(exit?: Exit): Promise<void> {
    if (exit !== undefined) this.history.noteExit(exit)
    await this.#parts.hooks.gone(this.ref).catch(error => this.warn(messageOf(error)))
  }

  noteRun(exit: Exit): void {
    this.history.noteExit(exit)
  }

  persist(instance: Instance | null): void {
    this.clock.noteInstance(instance)
    const { status, health, reason, startedMs, restarts, port, launched, asleepMs } = this.state.now
    const { plan } = this.supervisor
    const { fingerprint, env, dir } = plan ?? { fingerprint: '', env: {}, dir: this.ref.project.path }
    const { address, foundPort, isKept } = this
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
      port: foundPort === undefined ? port : (plan?.port ?? null),
      ...(address === undefined ? {} : { address }),
      ...(foundPort === undefined ? {} : { foundPort }),
      ...(asleepMs === null ? {} : { asleepMs }),
      ...(isKept ? { isKept } : {}),
      ...{ fingerprint, env, dir },
      ...(plan === undefined ? {} : { ports: plan.ports, hostPorts: plan.hostPorts }),
    })
  }

  warn(message: string, hint?: string): void {
    this.history.noteWarning(message)
    const event: LocaldEvent = { event: 'warning', key: this.ref.key, message, ...(hint === undefined ? {} : { hint }) }
    this.#parts.events.emit(event)
  }

  async explain(run: { readonly code: number | null; readonly runs: boolean }): Promise<string | undefined> {
    const lines = await this.lastLines()
    const holder = (port: number) => this.#parts.ports.holder(port)
    const root = this.ref.project.path
    const { plan } = this.supervisor
    const isGuest = plan?.driver.reach === 'guest'
    return explain({ ...run, lines, isGuest, dir: plan?.dir ?? root, root, holder }).catch(() => undefined)
  }

  listeners(instance: Instance): Promise<readonly Listener[]> {
    return this.#reachability.listeners(instance)
  }

  lastLines(): Promise<readonly string[]> {
    return logTail(this.log.file, this.lastStartMs, explainedLines)
  }

  reachesOtherUser(instance: Instance, address: string, port: number): Promise<boolean> {
    return this.#reachability.reachesOtherUser(instance, address, port)
  }

  faultOf(listeners: readonly Listener[], port: number, mayBeTls: boolean): Promise<Fault | undefined> {
    return this.#reachability.faultOf(listeners, port, mayBeTls)
  }

  /** Finds out why it cannot be reached; the fault is its reason until an examination finds none. */
  examine(): Promise<Fault | undefined> {
    return this.#reachability.examine()
  }

  /** Whether another process of this user listens on its port while it does not run. */
  async hasStandIn(): Promise<boolean> {
    const { port } = this.state.now
    const { ports, container } = this.#parts
    if (port === null || this.supervisor.active || ports.isHeld(port)) return false
    return (await container.optional('processTable')?.owns(port)) ?? false
  }
}

/** Returns all ports on this machine that a plan needs, the main one first. */
function portsOf({ port, ports }: StartPlan): readonly number[] {
  return [...(port === undefined ? [] : [port]), ...Object.values(ports)]
}

/** Returns the service's working folder, absolute; the project's for a guest, whose `workdir` is a folder inside. */
export function workdirOf(
  project: Pick<ProjectRef, 'path'>,
  plan: Pick<ServicePlan, 'common'>,
  reach: ServiceType<unknown>['reach'],
): string {
  return reach === 'guest' ? project.path : resolve(project.path, plan.common.workdir ?? '.')
}
