import { closure } from '../../config/checks/dependency-graph.ts'
import type { Log, ProcessTable, ServiceRef } from '../../contract/plugin.ts'
import { LocaldError, messageOf } from '../../errors.ts'
import type { Project } from '../../projects/project.ts'
import type { Projects } from '../../projects/projects.ts'
import type { LeaseBody, StatusView } from '../../protocol.ts'
import {
  describeOwners,
  type Hold,
  type Holds,
  hasOwner,
  type LeaseOwner,
  type LeaseProcess,
  mergeOwners,
  viewsOf,
} from './lease-holds.ts'

/** What leases work with. */
export interface LeasesInput {
  readonly projects: Pick<Projects, 'list' | 'foreign'>
  readonly holds: Holds
  readonly table: () => Pick<ProcessTable, 'start'> | undefined
  /** Whether the project in a folder is pinned: it then needs no lease. */
  readonly isPinned: (path: string) => boolean
  /** Stops services that `names` returns in the project's turn. */
  readonly stop: (project: Project, names: () => readonly string[], why: string) => Promise<void>
  readonly log: Log
}

/** Processes are looked for this often while they hold leases: ms. */
const pollMs = 1500
/** The longest time that a timer of Node can wait: ms. */
const longestMs = 2_147_483_647

/**
 * Stops services when the processes that they were started for exit, or their time is over. A service that anyone has
 * started without a lease has no hold: it runs until it is stopped.
 */
export class Leases {
  readonly #input: LeasesInput
  #timer: NodeJS.Timeout | undefined
  #isClosed = false

  constructor(input: LeasesInput) {
    this.#input = input
  }

  /** Returns the owner that a request names. Throws USAGE where there is no such process. */
  async identify({ pid, name, seconds }: LeaseBody): Promise<LeaseOwner> {
    if (pid === undefined) return { processes: [], untilMs: Date.now() + (seconds ?? 0) * 1000 }
    const start = await this.#input.table()?.start(pid)
    if (start === undefined)
      throw new LocaldError('USAGE', `there is no process with pid ${pid} that a lease could belong to`, {
        hint: `Use '${pid}s' for seconds, or the pid of a process that runs.`,
      })
    return { processes: [{ pid, start, ...(name === undefined ? {} : { name }) }], untilMs: null }
  }

  /**
   * Notes for whom services are about to be started, in the project's turn. Without an owner they run until they are
   * stopped; with one, those that already do are left alone.
   */
  grant({ ref, wanted }: Project, names: readonly string[], owner: LeaseOwner | undefined): void {
    const { holds } = this.#input
    if (owner === undefined) {
      holds.remove(ref.path, names)
      this.#schedule()
      return
    }
    const granted = names.flatMap((service): readonly Hold[] => {
      const known = wanted.has(service) ? holds.get(ref.path, service) : undefined
      if (known === undefined && wanted.has(service)) return []
      const { processes, untilMs } = known === undefined ? owner : mergeOwners(known, owner)
      return [{ path: ref.path, service, processes, untilMs }]
    })
    holds.set(granted)
    this.#schedule()
  }

  /** Notes services that a change of files starts: where all others of the project have a lease, they get these. */
  inherit(project: Project, names: readonly string[]): void {
    const { path } = project.ref
    const others = [...project.wanted].map(name => this.#input.holds.get(path, name))
    const held = others.flatMap(hold => hold ?? [])
    const added = names.filter(name => !project.wanted.has(name))
    const [first, ...rest] = held.length === others.length ? held : []
    this.grant(project, added, first === undefined ? undefined : rest.reduce<LeaseOwner>(mergeOwners, first))
  }

  /** Forgets the leases of services that were stopped. */
  forget(path: string, names: readonly string[]): void {
    this.#input.holds.remove(path, names)
    // One of them may have needed another one, whose lease is over.
    if (this.#input.holds.list().some(hold => !hasOwner(hold))) this.#schedule(0)
  }

  /** Returns who started a service. */
  describe({ project: { path }, name }: ServiceRef): Pick<StatusView, 'startedBy' | 'leases'> {
    const project = this.#input.projects.list().find(({ ref }) => ref.path === path)
    if (project?.wanted.has(name) !== true) return { startedBy: null, leases: [] }
    const hold = this.#input.holds.get(path, name)
    if (hold === undefined) return { startedBy: 'you', leases: [] }
    const owners = describeOwners(hold, Date.now())
    return {
      startedBy: owners === '' ? 'a lease that is over; another service needs it' : owners,
      leases: viewsOf(hold),
    }
  }

  /** Removes the leases of a process that still runs, and waits until what only it has held is stopped. */
  async release(pid: number): Promise<void> {
    const { holds } = this.#input
    const isOther = (process: LeaseProcess) => process.pid !== pid
    const held = holds.list().filter(hold => !hold.processes.every(isOther))
    holds.set(
      held.map(hold => {
        const released = { processes: hold.processes.filter(each => !isOther(each)), untilMs: null }
        const over = `${describeOwners(released, Date.now())} is over`
        return { ...hold, processes: hold.processes.filter(isOther), over }
      }),
    )
    await Promise.all(this.#stopOver())
    this.#schedule()
  }

  /** Continues with the leases of an earlier daemon: what has exited or was over meanwhile is stopped. Never rejects. */
  async restore(): Promise<void> {
    const wanted = new Map(this.#input.projects.list().map(project => [project.ref.path, project.wanted]))
    for (const { path, service } of this.#input.holds.list())
      if (wanted.get(path)?.has(service) !== true) this.#input.holds.remove(path, [service])
    await this.#check()
    this.#schedule()
  }

  close(): void {
    this.#isClosed = true
    clearTimeout(this.#timer)
  }

  /** Looks again when the first owner may be over; not at all without owners. */
  #schedule(afterMs?: number): void {
    clearTimeout(this.#timer)
    if (this.#isClosed) return
    const held = this.#input.holds.list().filter(hasOwner)
    const times = held.flatMap(({ processes, untilMs }) => [
      ...(processes.length > 0 ? [pollMs] : []),
      ...(untilMs === null ? [] : [Math.max(untilMs - Date.now(), 0)]),
    ])
    const ms = afterMs ?? Math.min(...times, longestMs)
    if (afterMs === undefined && times.length === 0) return
    this.#timer = setTimeout(() => {
      void this.#check().finally(() => this.#schedule())
    }, ms).unref()
  }

  async #check(): Promise<void> {
    await this.#removeOver()
    this.#stopOver()
  }

  /** Stops what no one holds any more. None of the results rejects. */
  #stopOver(): readonly Promise<void>[] {
    const { holds, projects, stop, log } = this.#input
    const stops: Promise<void>[] = []
    const known = new Map(projects.list().map(project => [project.ref.path, project]))
    for (const path of new Set(holds.list().flatMap(hold => (hasOwner(hold) ? [] : [hold.path])))) {
      const project = known.get(path)
      if (project === undefined) holds.remove(path, this.#over(path))
      else {
        const why = holds.list().find(hold => hold.path === path && !hasOwner(hold))?.over ?? 'its lease is over'
        stops.push(stop(project, () => this.#release(project), why).catch(error => log.warn(messageOf(error))))
      }
    }
    return stops
  }

  /** Removes processes that have exited, and times that are over, from all holds. */
  async #removeOver(): Promise<void> {
    const { holds } = this.#input
    const lives = new Map<string, boolean>()
    for (const each of holds.list().flatMap(({ processes }) => processes)) {
      const id = idOf(each)
      if (!lives.has(id)) lives.set(id, await this.#lives(each))
    }
    const now = Date.now()
    // Read again: it may have changed meanwhile.
    const changed = holds.list().flatMap((hold): readonly Hold[] => {
      const processes = hold.processes.filter(each => lives.get(idOf(each)) !== false)
      const isLate = hold.untilMs !== null && hold.untilMs <= now
      if (processes.length === hold.processes.length && !isLate) return []
      const exited = hold.processes.filter(each => !processes.includes(each))
      const process =
        exited.length === 0 ? [] : [`${describeOwners({ processes: exited, untilMs: null }, now)} is over`]
      const over = [...process, ...(isLate ? ['the time of its lease is over'] : [])].join('; ')
      return [{ ...hold, processes, untilMs: isLate ? null : hold.untilMs, over }]
    })
    holds.set(changed)
  }

  /** Whether a process runs; true where that cannot be found out. */
  async #lives({ pid, start }: LeaseProcess): Promise<boolean> {
    const table = this.#input.table()
    if (table === undefined) return true
    return await table.start(pid).then(
      now => now === start,
      () => true,
    )
  }

  /**
   * Names services of a project that no one holds, and no service needs that someone holds. Forgets leases of those that
   * do not run, and of a pinned project.
   */
  #release(project: Project): readonly string[] {
    const { ref, wanted, nodes } = project
    const over = this.#over(ref.path)
    const isStale = (name: string) => this.#input.isPinned(ref.path) || !wanted.has(name)
    this.#input.holds.remove(ref.path, over.filter(isStale))
    const held = [...wanted].filter(name => !over.includes(name))
    const foreign = over.filter(name => this.#isNeededElsewhere(project, name))
    const needed = new Set(closure(nodes, [...held, ...foreign]))
    return over.filter(name => !isStale(name) && !needed.has(name))
  }

  /** Whether a service of another project that is meant to run depends on one. */
  #isNeededElsewhere(project: Project, name: string): boolean {
    const service = project.service(name)
    const dependents = service === undefined ? [] : this.#input.projects.foreign.dependentsOf(service)
    return dependents.some(other => other.project.wanted.has(other.service.ref.name))
  }

  /** Names the services of a project whose leases are over. */
  #over(path: string): readonly string[] {
    return this.#input.holds.list().flatMap(hold => (hold.path === path && !hasOwner(hold) ? [hold.service] : []))
  }
}

function idOf({ pid, start }: LeaseProcess): string {
  return `${pid} ${start}`
}
