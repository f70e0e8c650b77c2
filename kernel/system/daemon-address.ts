import { join } from 'node:path'
import { isOwnedByCaller, isOwnFolder, openNoFollow } from './file-owner.ts'
import { fileShape, hasShape } from './file-shape.ts'
import { isClaimedByOther } from './runtime-claim.ts'

// Every command reads this file. An import would load all of node:fs.
const { closeSync, readFileSync, statSync } = process.getBuiltinModule('node:fs')

/**
 * The address of a data folder's daemon. It is kept in that folder, so that callers with another XDG_RUNTIME_DIR or
 * TMPDIR find the same daemon, and the next daemon finds the sockets of keepers.
 */
export interface DaemonAddress {
  readonly pid: number
  /** Of locald. */
  readonly version: string
  readonly runtime: string
  readonly socket: string
}

const absolutePath = { type: 'string', pattern: '^/' } as const
const addressShape = fileShape({
  type: 'object',
  required: ['pid', 'version', 'runtime', 'socket'],
  properties: { pid: { type: 'integer' }, version: { type: 'string' }, runtime: absolutePath, socket: absolutePath },
})

/** A larger file was not written by a daemon: bytes. */
const longest = 64 * 1024

/** Returns the path of the file in a data folder. */
export function addressFile(data: string): string {
  return join(data, 'daemon.json')
}

/** Reads the address of the last daemon; undefined where no file of the caller's own has it. */
export function readAddress(data: string): DaemonAddress | undefined {
  try {
    const { fd, stat } = openNoFollow(addressFile(data), 'file')
    try {
      const value: unknown =
        isOwnedByCaller(stat) && stat.size <= longest ? JSON.parse(readFileSync(fd, 'utf8')) : undefined
      return hasShape(value, addressShape) ? value : undefined
    } finally {
      closeSync(fd)
    }
  } catch {
    return undefined
  }
}

/** The tolerance for the time of the machine's start, which the system rounds: ms. */
const clockMs = 5000

/** Whether the daemon of an address may run. Its pid may belong to another process by now. */
export function mayRun(data: string, { pid }: DaemonAddress): boolean {
  try {
    process.kill(pid, 0)
    if (isZombie(pid)) return false
    // After a reboot the system reuses low pids.
    const startedMs = Date.now() - process.getBuiltinModule('node:os').uptime() * 1000
    return statSync(addressFile(data)).mtimeMs > startedMs - clockMs
  } catch {
    return false
  }
}

/**
 * Whether a process has exited but is still listed, as in a container whose first process reaps none; false where there
 * is no /proc.
 */
function isZombie(pid: number): boolean {
  try {
    return /^\d+ \(.*\) Z/s.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
  } catch {
    return false
  }
}

/**
 * Returns the runtime folder of a data folder's last daemon, if it still exists, is the caller's own, and has no other
 * daemon.
 */
export function lastRuntime(data: string): string | undefined {
  const runtime = readAddress(data)?.runtime
  try {
    const isUsable = runtime !== undefined && isOwnFolder(runtime) && !isClaimedByOther(runtime, data)
    return isUsable ? runtime : undefined
  } catch {
    return undefined
  }
}
