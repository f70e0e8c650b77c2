import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

/** `ps` answers at once: ms. */
const limitMs = 5000
const columns = ['pid=', 'ppid=', 'pgid=', 'stat='].flatMap(column => ['-o', column])

interface Row {
  readonly pid: number
  readonly parent: number
  readonly group: number
}

/** What belongs to a process group before a command is started in it. */
export interface GroupBefore {
  readonly group: number | undefined
  readonly pids: ReadonlySet<number>
}

/** Returns which processes this one's group has: itself, and the others of a pipeline. */
export async function ownGroup(): Promise<GroupBefore> {
  const rows = await readRows()
  const group = rows.find(({ pid }) => pid === process.pid)?.group
  const pids = rows.filter(row => group !== undefined && row.group === group).map(({ pid }) => pid)
  return { group, pids: new Set([process.pid, ...pids]) }
}

/**
 * Lists a command and the processes that it has started: its descendants, and those of its group whose parent has
 * exited. Without a list of processes (`ps` of BusyBox) there is none.
 * @param before what has the same group without being started by the command
 */
export async function startedBy(command: number, { group, pids }: GroupBefore): Promise<readonly number[]> {
  const rows = await readRows()
  const byPid = new Map(rows.map(row => [row.pid, row]))
  const isStarted = (row: Row) => {
    for (let at: Row | undefined = row; at !== undefined; at = byPid.get(at.parent)) {
      if (at.pid === command) return true
      if (pids.has(at.pid)) return false
    }
    return row.group === group
  }
  return rows.filter(isStarted).map(({ pid }) => pid)
}

/** Lists the processes of this machine that have not exited. */
async function readRows(): Promise<readonly Row[]> {
  const found = await promisify(execFile)('ps', ['-A', ...columns], { timeout: limitMs }).catch(() => undefined)
  const lines = found?.stdout.trim().split('\n') ?? []
  return lines.flatMap(line => {
    const [pid, parent, group, state = 'Z'] = line.trim().split(/\s+/)
    return state.startsWith('Z') ? [] : { pid: Number(pid), parent: Number(parent), group: Number(group) }
  })
}
