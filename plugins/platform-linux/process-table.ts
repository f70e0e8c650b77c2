import { uptime } from 'node:os'
import { setTimeout } from 'node:timers/promises'
import type {
  ConnectionWatch,
  Listener,
  ProcessInfo,
  ProcessTable,
  ProcessTree,
  Usage,
} from '../../kernel/contract/plugin.ts'
import { systemCode } from '../../kernel/errors.ts'
import { cgroupUsage } from './cgroups/tree.ts'
import { LinuxConnectionWatch } from './connection-watch.ts'
import { overflow } from './proc/network.ts'
import type { Table } from './proc/proc.ts'
import { Proc } from './proc/proc.ts'
import type { Stat } from './proc/stat.ts'
import { hasExited, tickMs } from './proc/stat.ts'

/**
 * A keeper's start and `startedMs` come from two clocks, and a busy machine is late; a pid takes longer to be reused.
 */
const slackMs = 10_000
const sweepMs = 2000
const sweepStepMs = 50
/** Empty walks in a row that complete a sweep on a machine where processes start all the time. */
const emptyPasses = 3

/**
 * The machine's processes from /proc.
 *
 * A tree has the descendants of its keeper: the keeper is a subreaper (prctl(2)), so no process below it ever leaves.
 * Without the keeper it has every process with the tree's mark, an RLIMIT_RTTIME soft limit that children inherit
 * through setsid, an emptied environment and reparenting, or with its variable: PAM sets all limits for su(1). A
 * process with neither, and below none that has one, is lost.
 */
export class LinuxProcessTable implements ProcessTable {
  readonly orphansReturn = true
  readonly #proc: Proc
  readonly #uid: number
  /** Start ticks of the keepers in queries: none of them is ever killed for another's mark. */
  readonly #keepers = new Map<number, number>()

  /**
   * @param uid this process's
   * @param root where proc is mounted
   */
  constructor(uid: number, root = '/proc') {
    this.#uid = uid
    this.#proc = new Proc(root)
  }

  async start(pid: number): Promise<string | undefined> {
    const stat = this.#proc.stat(pid)
    return stat === undefined || hasExited(stat) || stat.isKernelThread ? undefined : this.#token(stat)
  }

  async members(tree: ProcessTree): Promise<readonly ProcessInfo[]> {
    const table = await this.#proc.table()
    return this.#tree(table, tree)
      .filter(stat => !hasExited(stat))
      .map(stat => this.#info(stat))
  }

  folder(pid: number): string | undefined {
    return this.#proc.folder(pid)
  }

  async usage(trees: readonly ProcessTree[]): Promise<readonly Usage[]> {
    const table = await this.#proc.table()
    return await Promise.all(
      trees.map(async tree => {
        const counted = tree.cgroup === undefined ? undefined : await cgroupUsage(tree.cgroup)
        const { cpuMs, memory } = counted ?? { cpuMs: undefined, memory: undefined }
        if (cpuMs !== undefined && memory !== undefined) return { cpuMs, memory }
        const summed = this.#sum(table, tree)
        return { cpuMs: cpuMs ?? summed.cpuMs, memory: memory ?? summed.memory }
      }),
    )
  }

  /**
   * Sums CPU time: of all members, zombies too, with that of the children they and the keeper waited for. When a
   * process exits, its time moves to its parent's account, so the sum never falls. Sums memory: the private part of
   * each, plus the largest shared part once, because the processes of one service mostly map the same program or shared
   * memory.
   */
  #sum(table: Table, tree: ProcessTree): Usage {
    const members = this.#tree(table, tree)
    const keeper = this.#keeper(table, tree)
    const ticks = members.reduce((sum, stat) => sum + stat.cpu + stat.childCpu, keeper?.childCpu ?? 0)
    const memory = members.filter(stat => !hasExited(stat)).map(stat => this.#proc.memory(stat.pid))
    const own = memory.reduce((sum, { resident, shared }) => sum + resident - shared, 0)
    const shared = memory.reduce((most, { shared }) => Math.max(most, shared), 0)
    return { cpuMs: ticks * tickMs, memory: own + shared }
  }

  async listeners(pids: readonly number[]): Promise<readonly Listener[]> {
    const sockets = this.#proc.listening()
    if (sockets.length === 0) return []
    return pids.flatMap(pid => {
      const held = this.#proc.sockets(pid)
      return sockets.filter(({ inode }) => held.has(inode)).map(({ address, port }) => ({ pid, address, port }))
    })
  }

  async holder(port: number): Promise<string | undefined> {
    const sockets = this.#proc.listening().filter(socket => socket.port === port)
    if (sockets.length === 0) return undefined
    const holders: Stat[] = []
    for await (const pid of this.#proc.pids()) {
      const held = this.#proc.sockets(pid)
      const stat = sockets.some(({ inode }) => held.has(inode)) ? this.#proc.stat(pid) : undefined
      if (stat !== undefined) holders.push(stat)
    }
    // Workers inherit the socket: the oldest is the one to name.
    const [oldest] = holders.toSorted((a, b) => a.started - b.started)
    if (oldest !== undefined) return `${this.#proc.name(oldest)} (pid ${oldest.pid})`
    return sockets.some(({ uid }) => uid !== this.#uid) ? 'a process of another user' : undefined
  }

  async owns(port: number): Promise<boolean> {
    const sockets = this.#proc.listening().filter(socket => socket.port === port)
    return sockets.length > 0 && sockets.every(({ uid }) => uid === this.#uid)
  }

  async connections(ports: readonly number[]): Promise<readonly number[]> {
    return this.#proc.established(ports)
  }

  watchConnections(): ConnectionWatch {
    return new LinuxConnectionWatch({
      proc: this.#proc,
      pidsOf: async trees => {
        const table = await this.#proc.table()
        return trees.map(tree => this.#tree(table, tree).map(({ pid }) => pid))
      },
    })
  }

  async reachesOtherUser({ address, port }: Omit<Listener, 'pid'>, tree: ProcessTree): Promise<boolean> {
    const uid = this.#proc.reached(address, port)?.uid
    if (uid === undefined || [this.#uid, 0, overflow].includes(uid)) return false
    // As `sudo -u` in a service's command starts one.
    return (await this.members(tree)).every(({ pid }) => this.#proc.owner(pid) !== uid)
  }

  async sweep(tree: ProcessTree, seen: readonly ProcessInfo[]): Promise<number> {
    const killed = new Set<string>()
    const refused = new Set<string>()
    const deadline = performance.now() + sweepMs
    // A process that forks and exits during a walk is missing from it, and so is its child: an empty walk is repeated,
    // unless no process at all started meanwhile.
    let empty = 0
    for (let pause = 1; ; pause = Math.min(pause * 2, sweepStepMs)) {
      const newest = this.#proc.newest()
      const left = this.#findRemaining(await this.#proc.table(), tree, seen).filter(
        stat => !refused.has(this.#key(stat)),
      )
      for (const stat of left) {
        const result = this.#kill(stat)
        if (result !== 'exited') (result === 'killed' ? killed : refused).add(this.#key(stat))
      }
      empty = left.length === 0 ? empty + 1 : 0
      const isDone = empty === emptyPasses || (empty > 0 && newest !== undefined && newest === this.#proc.newest())
      if (isDone || performance.now() > deadline) return killed.size
      await setTimeout(pause)
    }
  }

  /**
   * Returns the processes that a sweep has to kill: those with the mark or variable, earlier members that are still the
   * same, and their descendants.
   */
  #findRemaining(table: Table, tree: ProcessTree, seen: readonly ProcessInfo[]): readonly Stat[] {
    const earlier = new Set(seen.map(({ pid, start }) => `${pid} ${start}`))
    const isOurs = (stat: Stat) => !hasExited(stat) && !this.#untouchable(stat, tree)
    const found = new Set(
      [...table.processes.values()].filter(
        stat => isOurs(stat) && (earlier.has(this.#key(stat)) || this.#hasMark(stat, tree)),
      ),
    )
    for (const { pid } of found) for (const child of table.children.get(pid) ?? []) if (isOurs(child)) found.add(child)
    return [...found]
  }

  #untouchable({ pid, started }: Stat, tree: ProcessTree): boolean {
    return pid <= 1 || pid === process.pid || pid === tree.keeper || this.#keepers.get(pid) === started
  }

  /** Checks again right before, so that a reused pid is not killed. */
  #kill({ pid, started }: Stat): 'killed' | 'exited' | 'refused' {
    if (this.#proc.stat(pid)?.started !== started) return 'exited'
    try {
      process.kill(pid, 'SIGKILL')
      return 'killed'
    } catch (error) {
      return systemCode(error) === 'ESRCH' ? 'exited' : 'refused'
    }
  }

  /** Returns members and zombies. */
  #tree(table: Table, tree: ProcessTree): readonly Stat[] {
    const keeper = this.#keeper(table, tree)
    if (keeper !== undefined) return descendantsOf(table, keeper.pid)
    return [...table.processes.values()].filter(stat => !this.#untouchable(stat, tree) && this.#hasMark(stat, tree))
  }

  /** Returns the running keeper. */
  #keeper(table: Table, tree: ProcessTree): Stat | undefined {
    const stat = table.processes.get(tree.keeper)
    if (stat === undefined || hasExited(stat)) {
      this.#keepers.delete(tree.keeper)
      return undefined
    }
    const token = tree.starts?.keeper
    const isGenuine = token ? this.#token(stat) === token : this.#hasStartTime(stat, tree, table)
    if (isGenuine) this.#keepers.set(stat.pid, stat.started)
    return isGenuine ? stat : undefined
  }

  /**
   * Returns whether a process started with the tree, or (if the clock was set since) is the parent of a marked child.
   */
  #hasStartTime(stat: Stat, tree: ProcessTree, table: Table): boolean {
    const startedMs = Date.now() - (uptime() * 1000 - stat.started * tickMs)
    return (
      startedMs <= tree.startedMs + slackMs || descendantsOf(table, stat.pid).some(child => this.#hasMark(child, tree))
    )
  }

  #hasMark({ pid, started }: Stat, { mark, variable, starts }: ProcessTree): boolean {
    if (started < Number.parseInt(starts?.main ?? '', 10)) return false
    if (mark !== undefined && this.#proc.mark(pid) === mark) return true
    return variable !== undefined && this.#proc.isGiven(pid, variable)
  }

  #info(stat: Stat): ProcessInfo {
    return { pid: stat.pid, ppid: stat.ppid, start: this.#token(stat) }
  }

  #key(stat: Stat): string {
    return `${stat.pid} ${this.#token(stat)}`
  }

  #token({ started }: Stat): string {
    return `${started}@${this.#proc.boot()}`
  }
}

/**
 * Returns all descendants of a process; without the daemon, if that was started from a service, and its descendants.
 */
function descendantsOf({ children }: Table, root: number): readonly Stat[] {
  const childrenOf = (pid: number) => (children.get(pid) ?? []).filter(child => child.pid !== process.pid)
  const found = [...childrenOf(root)]
  for (const { pid } of found) found.push(...childrenOf(pid))
  return found
}
