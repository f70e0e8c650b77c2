import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'

/**
 * Whether this process is in the foreground of its terminal; true where that is unknown. A process in the background
 * that sets its terminal's mode is stopped (SIGTTOU).
 */
export function isForeground(): boolean {
  const groups = readGroups()
  if (groups === undefined) return true
  const [own, front] = groups
  return own === front || front === undefined || front <= 0
}

/** Returns the process group and the terminal's foreground group. */
function readGroups(): readonly (number | undefined)[] | undefined {
  return readProc() ?? readList()
}

/** Reads them from proc_pid_stat(5), where there is one. */
function readProc(): readonly (number | undefined)[] | undefined {
  try {
    const text = readFileSync('/proc/self/stat', 'utf8')
    // The name, in parentheses, may contain spaces.
    const [, , , group, , , front] = text.slice(text.lastIndexOf(')') + 1).split(' ')
    return [Number(group), Number(front)]
  } catch {
    return undefined
  }
}

/** Reads them from the list of processes. */
function readList(): readonly (number | undefined)[] | undefined {
  try {
    const argv = ['-o', 'pgid=', '-o', 'tpgid=', '-p', String(process.pid)]
    return execFileSync('ps', argv, { encoding: 'utf8', timeout: listMs }).trim().split(/\s+/).map(Number)
  } catch {
    return undefined
  }
}

/** ms */
const listMs = 2000
