import { join, sep } from 'node:path'
import { isCallers, isOwnFolder, openPlain } from './file-owner.ts'
import { fileShape, hasShape } from './file-shape.ts'

// Every command reads this file: not by import, which reads all of node:fs.
const { closeSync, existsSync, readFileSync, readlinkSync, rmSync, statSync, symlinkSync } =
  process.getBuiltinModule('node:fs')

/**
 * Where the daemon of a data folder is reached. It is kept in that folder, so that callers with another XDG_RUNTIME_DIR or TMPDIR find the
 * same daemon, and the next daemon the sockets of keepers.
 */
export interface Place {
  readonly pid: number
  /** Of locald. */
  readonly version: string
  readonly runtime: string
  readonly socket: string
}

const absolutePath = { type: 'string', pattern: '^/' } as const
const placeShape = fileShape({
  type: 'object',
  required: ['pid', 'version', 'runtime', 'socket'],
  properties: { pid: { type: 'integer' }, version: { type: 'string' }, runtime: absolutePath, socket: absolutePath },
})

/** More than such a file has: bytes. */
const longest = 64 * 1024

/** The file in the data folder. */
export function placeFile(data: string): string {
  return join(data, 'daemon.json')
}

/** Where the daemon is, or was; undefined where no file of the caller's own says it. */
export function readPlace(data: string): Place | undefined {
  try {
    const { fd, stat } = openPlain(placeFile(data), 'file')
    try {
      const value: unknown = isCallers(stat) && stat.size <= longest ? JSON.parse(readFileSync(fd, 'utf8')) : undefined
      return hasShape(value, placeShape) ? value : undefined
    } finally {
      closeSync(fd)
    }
  } catch {
    return undefined
  }
}

/** By so much the time of the machine's start may be wrong, which the system rounds: ms. */
const clockMs = 5000

/** Whether the daemon may run that says where it is in a data folder: its pid may be another process's by now. */
export function mayRun(data: string, { pid }: Place): boolean {
  try {
    process.kill(pid, 0)
    if (isZombie(pid)) return false
    // Pids begin again when the machine starts.
    const startedMs = Date.now() - process.getBuiltinModule('node:os').uptime() * 1000
    return statSync(placeFile(data)).mtimeMs > startedMs - clockMs
  } catch {
    return false
  }
}

/** Whether a process has exited and is still listed, as in a container whose first process collects none; false where there is no /proc. */
function isZombie(pid: number): boolean {
  try {
    return /^\d+ \(.*\) Z/s.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
  } catch {
    return false
  }
}

/** The runtime folder that the last daemon of a data folder used, as long as it is there, the caller's own, and no other daemon's. */
export function lastRuntime(data: string): string | undefined {
  const runtime = readPlace(data)?.runtime
  try {
    const isUsable = runtime !== undefined && isOwnFolder(runtime) && !isOthers(runtime, data)
    return isUsable ? runtime : undefined
  } catch {
    return undefined
  }
}

/** A link in the runtime folder to the data folder that it belongs to. */
export function ownerLink(runtime: string): string {
  return join(runtime, 'data')
}

/** Whether a runtime folder belongs to the daemon of another data folder: environments may have one XDG_RUNTIME_DIR. */
export function isOthers(runtime: string, data: string): boolean {
  try {
    const owner = readlinkSync(ownerLink(runtime))
    return owner !== data && existsSync(owner)
  } catch {
    // It is claimed by none.
    return false
  }
}

/** Whether a runtime folder says whose it is; one in its data folder does by that. */
export function isClaimed(runtime: string, data: string): boolean {
  try {
    if (runtime.startsWith(join(data, sep))) return true
    return readlinkSync(ownerLink(runtime)) !== ''
  } catch {
    return false
  }
}

/** Says that a runtime folder belongs to a data folder, unless it is in there; for the daemon that holds its lock. */
export function claimRuntime(runtime: string, data: string): void {
  if (runtime.startsWith(join(data, sep))) return
  rmSync(ownerLink(runtime), { recursive: true, force: true })
  symlinkSync(data, ownerLink(runtime))
}

/** Leaves a runtime folder to others. Never throws. */
export function releaseRuntime(runtime: string, data: string): void {
  try {
    if (readlinkSync(ownerLink(runtime)) === data) rmSync(ownerLink(runtime))
  } catch {
    // It is missing, or another's.
  }
}
