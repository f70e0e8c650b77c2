import { setTimeout } from 'node:timers/promises'
import {
  isAnswered,
  type Listener,
  type ProcessInfo,
  type ProcessTable,
  type ProcessTree,
  type Usage,
} from '../../kernel/contract/plugin.ts'
import { systemCode } from '../../kernel/errors.ts'
import type { Tools } from './commands.ts'
import type { Socket } from './lsof.ts'
import type { Row } from './ps.ts'

/** `ps` shows whole seconds, and `startedMs` is read a moment after the start. */
const earlyMs = 2000
/** Busy machines are late; pids (99 998 of them, assigned in turn) take longer to be reused. */
const lateMs = 10_000
const sweepMs = 2000
const sweepStepMs = 50

/**
 * The machine's processes as `ps` and `lsof` show them.
 *
 * A start token is the second in which a process was started: macOS assigns pids in turn, so that one is reused within
 * that second only when some 99 000 processes are started in it.
 *
 * A tree has the descendants of its keeper or main process, and the main process's group with its descendants. macOS
 * has neither subreapers nor a mark that children inherit, so `members` loses a process that leaves the group and whose
 * parent exits. A sweep still finds it if it was seen earlier, if it (without a terminal) listens on the service's
 * port, or if `ps -E` shows the service's variable. It does not find a double-forked daemon in a session of its own
 * that was never seen, listens nowhere, or elsewhere, and runs with another environment or is a program of Apple's.
 */
export class DarwinProcessTable implements ProcessTable {
  readonly orphansReturn = false
  readonly #tools: Pick<Tools, 'ps' | 'lsof' | 'given'>

  constructor(tools: Pick<Tools, 'ps' | 'lsof' | 'given'>) {
    this.#tools = tools
  }

  async start(pid: number): Promise<string | undefined> {
    const row = (await this.#tools.ps()).find(row => row.pid === pid)
    return row === undefined || row.zombie ? undefined : tokenOf(row)
  }

  async members(tree: ProcessTree): Promise<readonly ProcessInfo[]> {
    return membersOf(await this.#tools.ps(), tree).map(row => ({ pid: row.pid, ppid: row.ppid, start: tokenOf(row) }))
  }

  /**
   * Sums over the members. Pages that they share count for each, and the time of an exited one is missing, as `ps`
   * shows neither.
   */
  async usage(trees: readonly ProcessTree[]): Promise<readonly Usage[]> {
    const rows = await this.#tools.ps()
    return trees.map(tree =>
      membersOf(rows, tree).reduce(
        (sum, { cpuMs, memory }) => ({ cpuMs: sum.cpuMs + cpuMs, memory: sum.memory + memory }),
        {
          cpuMs: 0,
          memory: 0,
        },
      ),
    )
  }

  async listeners(pids: readonly number[]): Promise<readonly Listener[]> {
    if (pids.length === 0) return []
    const wanted = new Set(pids)
    const found = (await this.#tools.lsof()).filter(({ pid }) => wanted.has(pid))
    // One socket may be open under several descriptors.
    return [
      ...new Map(found.map(({ pid, address, port }) => [`${pid} ${address} ${port}`, { pid, address, port }])).values(),
    ]
  }

  /** Processes of other users are invisible. */
  async holder(port: number): Promise<string | undefined> {
    const found = (await this.#tools.lsof()).filter(socket => socket.port === port)
    return nameOf(found)
  }

  async freeing(port: number): Promise<string | undefined> {
    const isAirPlay = (await this.#tools.lsof()).some(socket => socket.port === port && isAirPlayReceiver(socket))
    return isAirPlay ? 'Turn off AirPlay Receiver in System Settings › General › AirDrop & Handoff' : undefined
  }

  async overshadowed(port: number): Promise<string | undefined> {
    const isOther = ({ pid, address }: Socket) => pid !== process.pid && (address === '0.0.0.0' || address === '::')
    return nameOf((await this.#tools.lsof()).filter(socket => socket.port === port && isOther(socket)))
  }

  /** Processes of other users are invisible: one beside ours on the same port is missed. */
  async owns(port: number): Promise<boolean> {
    return (await this.#tools.lsof()).some(socket => socket.port === port)
  }

  /** Processes of other users are invisible. */
  async isStrangers(): Promise<boolean> {
    return false
  }

  async sweep(tree: ProcessTree, seen: readonly ProcessInfo[]): Promise<number> {
    const killed = new Set<string>()
    const refused = new Set<string>()
    const deadline = performance.now() + sweepMs
    for (let pause = 1; ; pause = Math.min(pause * 2, sweepStepMs)) {
      const left = (await this.#findRemaining(tree, seen)).filter(row => !refused.has(keyOf(row)))
      for (const row of left) {
        const result = kill(row.pid)
        if (result !== 'exited') (result === 'killed' ? killed : refused).add(keyOf(row))
      }
      if (left.length === 0 || performance.now() > deadline) return killed.size
      await setTimeout(pause)
    }
  }

  /** Runs the programs in parallel: `lsof` is the slowest, and seldom needed. */
  async #findRemaining(tree: ProcessTree, seen: readonly ProcessInfo[]): Promise<readonly Row[]> {
    const { port, variable } = tree
    const [rows, sockets, given] = await Promise.all([
      this.#tools.ps(),
      port === undefined ? [] : this.#listening(port),
      variable === undefined ? new Set<number>() : this.#tools.given(variable),
    ])
    return findRemaining({ rows, sockets, given }, tree, seen)
  }

  /**
   * Returns the listeners if one has the port: a refused connection spares `lsof`, which takes up to seconds on a busy
   * Mac.
   */
  async #listening(port: number): Promise<readonly Socket[]> {
    const held = await Promise.all(['127.0.0.1', '::1'].map(address => isAnswered(address, port)))
    return held.includes(true) ? await this.#tools.lsof() : []
  }
}

/** Returns the process with the lowest pid: workers inherit a socket. */
function nameOf(sockets: readonly Socket[]): string | undefined {
  const [lowest] = sockets.toSorted((a, b) => a.pid - b.pid)
  if (lowest === undefined) return undefined
  const { command, pid } = lowest
  return isAirPlayReceiver(lowest) ? `AirPlay Receiver of macOS (${command}, pid ${pid})` : `${command} (pid ${pid})`
}

/**
 * Control Centre listens on these for it, on all addresses, since macOS 12; Werkzeug's serving.py mentions 5000, too.
 */
function isAirPlayReceiver({ command, port }: Socket): boolean {
  return command === 'ControlCenter' && (port === 5000 || port === 7000)
}

/** Returns the running members of a tree, without the keeper. */
export function membersOf(rows: readonly Row[], tree: ProcessTree): readonly Row[] {
  if (!isFromThisBoot(rows, tree)) return []
  const { keeper, pid, starts } = tree
  const roots = rows.filter(
    row =>
      (row.pid === keeper && isOfStart(row, tree, starts?.keeper)) ||
      (row.pid === pid && isOfStart(row, tree, starts?.main)),
  )
  return descendantsOf(rows, [...roots, ...groupOf(rows, tree)]).filter(row => row.pid !== tree.keeper && !row.zombie)
}

/** What a sweep looks at: the processes, the sockets, and the pids of processes with the tree's variable. */
export interface ProcessSnapshot {
  readonly rows: readonly Row[]
  readonly sockets: readonly Socket[]
  readonly given: ReadonlySet<number>
}

/** Returns the processes that a sweep has to kill. */
export function findRemaining(
  { rows, sockets, given }: ProcessSnapshot,
  tree: ProcessTree,
  seen: readonly ProcessInfo[],
): readonly Row[] {
  const earlier = new Set(seen.map(({ pid, start }) => `${pid} ${start}`))
  const holding = new Set(sockets.filter(({ port }) => port === tree.port).map(({ pid }) => pid))
  const strays = rows.filter(
    row =>
      earlier.has(keyOf(row)) ||
      (holding.has(row.pid) && isFromThisBoot(rows, tree) && isStray(rows, row, tree)) ||
      (given.has(row.pid) && isNotOlder(row, tree) && !isOurs(rows, row)),
  )
  const all = [...membersOf(rows, tree), ...descendantsOf(rows, strays)]
  return [...new Set(all)].filter(row => row.pid > 1 && row.pid !== tree.keeper && !row.zombie)
}

/**
 * Returns whether the tree was started since the machine was. Every process is younger than an older tree: by port or
 * group, another program, such as the user's own database, would be taken for a rest of it.
 */
function isFromThisBoot(rows: readonly Row[], tree: ProcessTree): boolean {
  const first = rows.find(({ pid }) => pid === 1)
  return first === undefined || first.startedMs <= tree.startedMs + earlyMs
}

/** Returns the main process's group, unless its number was reused: then its leader is not the main process. */
function groupOf(rows: readonly Row[], tree: ProcessTree): readonly Row[] {
  const leader = rows.find(row => row.pid === tree.pgid)
  if (tree.pgid <= 1 || (leader !== undefined && !isOfStart(leader, tree, tree.starts?.main))) return []
  return rows.filter(row => row.pgid === tree.pgid && isNotOlder(row, tree))
}

/**
 * Returns whether a listener on the service's port came from the service. The port was leased to this service alone,
 * but after its exit any program may use it. So a daemon of the service is one that, with all its ancestors, is younger
 * than the service and has no terminal.
 */
function isStray(rows: readonly Row[], row: Row, tree: ProcessTree): boolean {
  const visited = new Set<number>()
  for (let at: Row | undefined = row; at !== undefined && at.pid > 1; at = parentOf(rows, at)) {
    if (at.terminal || !isNotOlder(at, tree) || visited.has(at.pid) || at.pid === process.pid) return false
    visited.add(at.pid)
  }
  return true
}

/** Returns whether a process is the daemon, if that was started from a service, or its descendant. */
function isOurs(rows: readonly Row[], row: Row): boolean {
  const visited = new Set<Row>()
  for (let at: Row | undefined = row; at !== undefined && !visited.has(at); at = parentOf(rows, at)) {
    if (at.pid === process.pid) return true
    visited.add(at)
  }
  return false
}

function parentOf(rows: readonly Row[], { ppid }: Row): Row | undefined {
  return rows.find(row => row.pid === ppid)
}

function isNotOlder(row: Row, tree: ProcessTree): boolean {
  return row.startedMs >= tree.startedMs - earlyMs
}

/** Returns whether a process is the tree's, and not a later one with its pid. */
function isOfStart(row: Row, tree: ProcessTree, token: string | undefined): boolean {
  return token ? tokenOf(row) === token : isOfTime(row, tree)
}

/** Returns whether a process started with the tree. */
function isOfTime(row: Row, tree: ProcessTree): boolean {
  return row.startedMs <= tree.startedMs + lateMs
}

/**
 * Returns these processes and their descendants; without the daemon, if that was started from a service, and its
 * descendants.
 */
function descendantsOf(rows: readonly Row[], roots: readonly Row[]): readonly Row[] {
  const found = new Set(roots.filter(({ pid }) => pid !== process.pid))
  const pids = new Set([...found].map(({ pid }) => pid))
  for (let before = -1; before !== found.size; ) {
    before = found.size
    for (const row of rows) {
      if (!pids.has(row.ppid) || found.has(row) || row.pid === process.pid) continue
      found.add(row)
      pids.add(row.pid)
    }
  }
  return [...found]
}

function tokenOf(row: Row): string {
  return new Date(row.startedMs).toISOString().replace('.000', '')
}

function keyOf(row: Row): string {
  return `${row.pid} ${tokenOf(row)}`
}

function kill(pid: number): 'killed' | 'exited' | 'refused' {
  try {
    process.kill(pid, 'SIGKILL')
    return 'killed'
  } catch (error) {
    return systemCode(error) === 'ESRCH' ? 'exited' : 'refused'
  }
}
