import { join } from 'node:path'
import { isCallers, isOwnFolder, openPlain } from './owner.ts'

// Every command reads this file: not by import, which reads all of node:fs.
const { closeSync, readFileSync } = process.getBuiltinModule('node:fs')

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

/** The file in the data folder. */
export function placeFile(data: string): string {
  return join(data, 'daemon.json')
}

/** Where the daemon is, or was; undefined where no file of the caller's own says it. */
export function readPlace(data: string): Place | undefined {
  try {
    const { fd, stat } = openPlain(placeFile(data), 'file')
    try {
      const value: unknown = isCallers(stat) ? JSON.parse(readFileSync(fd, 'utf8')) : undefined
      return isPlace(value) ? value : undefined
    } finally {
      closeSync(fd)
    }
  } catch {
    return undefined
  }
}

/** The runtime folder that the last daemon of a data folder used, as long as it is there and the caller's own. */
export function lastRuntime(data: string): string | undefined {
  const runtime = readPlace(data)?.runtime
  try {
    return runtime !== undefined && isOwnFolder(runtime) ? runtime : undefined
  } catch {
    return undefined
  }
}

function isPlace(value: unknown): value is Place {
  if (typeof value !== 'object' || value === null || !Number.isInteger(Reflect.get(value, 'pid'))) return false
  if (typeof Reflect.get(value, 'version') !== 'string') return false
  return ['runtime', 'socket'].every(key => {
    const path: unknown = Reflect.get(value, key)
    return typeof path === 'string' && path.startsWith('/')
  })
}
