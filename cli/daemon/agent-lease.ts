import { readFileSync } from 'node:fs'
import type { LeaseBody } from '../../kernel/protocol.ts'
import { mayRun, type Paths, readAddress } from '../../kernel/system/paths.ts'
import type { Agent } from '../agent.ts'

/** A chain of more processes is none of an agent's command. */
const mostAncestors = 50

/**
 * Returns the lease of the agent that runs this command: its process is the nearest ancestor without the variable that
 * agents set for their commands. Undefined where that cannot be found out.
 */
export function leaseOfAgent({ name, variable }: Agent, paths: Paths): LeaseBody | undefined {
  if (!sharesProcesses(paths)) return undefined
  let pid = process.ppid
  for (let count = 0; count < mostAncestors && pid > 1; count++) {
    const entries = environmentOf(pid)
    if (entries === undefined) return undefined
    if (!entries.some(entry => entry.startsWith(`${variable}=`))) return { pid, name }
    pid = parentOf(pid)
  }
  return undefined
}

/** Returns a lease of the process that started this one. */
export function leaseOfParent(name: string, paths: Paths): LeaseBody | undefined {
  if (!sharesProcesses(paths)) return undefined
  return { pid: process.ppid > 1 ? process.ppid : process.pid, name }
}

/** Whether the daemon is among the processes that are visible here: pids in a sandbox of an agent are others. */
function sharesProcesses({ data }: Paths): boolean {
  const address = readAddress(data)
  return address !== undefined && mayRun(data, address)
}

/** Returns the environment that a process was started with; undefined where there is no /proc, or it is another user's. */
function environmentOf(pid: number): readonly string[] | undefined {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0')
  } catch {
    return undefined
  }
}

function parentOf(pid: number): number {
  try {
    // The name of the program may have spaces and parentheses.
    return Number(/^\d+ \(.*\) \S (\d+)/s.exec(readFileSync(`/proc/${pid}/stat`, 'utf8'))?.[1] ?? 0)
  } catch {
    return 0
  }
}
