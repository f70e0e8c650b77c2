import type { ProcessInfo, ProcessTree } from '../../kernel/contract/plugin.ts'
import type { Socket } from './lsof.ts'
import type { Row } from './ps.ts'

/** `ps` shows whole seconds, and `startedMs` is read a moment after the start. */
const earlyMs = 2000
/** Busy machines are late; pids (99 998 of them, assigned in turn) take longer to be reused. */
const lateMs = 10_000

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

/** Returns the start token of a process. */
export function tokenOf(row: Row): string {
  return new Date(row.startedMs).toISOString().replace('.000', '')
}

/** Returns a process as text: its pid and start token. */
export function keyOf(row: Row): string {
  return `${row.pid} ${tokenOf(row)}`
}
