import type { Socket } from 'node:net'
import { descriptorOf } from '../http1/shared-read.ts'
import type { RateLimitedLog } from '../rate-limited-log.ts'

/**
 * On macOS posix_spawn fails with EBADF once the pipes to the new program get descriptors from OPEN_MAX on, 10240
 * (xnu-11417.101.15, libsyscall/wrappers/spawn/posix_spawn.c, posix_spawn_file_actions_adddup2; bsd/sys/syslimits.h),
 * and Node raises the limit of open files above that. Half is reserved for connections to services and everything else.
 */
const macDescriptors = 5120

/** Returns the highest descriptor that a client's connection may have on a system. */
export function maxDescriptors(os: NodeJS.Platform): number {
  return os === 'darwin' ? macDescriptors : Number.POSITIVE_INFINITY
}

/**
 * Closes connections beyond a limit. A system assigns the lowest free descriptor, so its number is how many are open.
 */
export class ConnectionLimit {
  readonly #max: number
  readonly #clientLog: RateLimitedLog

  constructor(max: number, clientLog: RateLimitedLog) {
    this.#max = max
    this.#clientLog = clientLog
  }

  /** Returns whether an accepted connection exceeds the limit, and closes it then, without a response. */
  rejects(socket: Socket): boolean {
    if ((descriptorOf(socket) ?? 0) < this.#max) return false
    socket.destroy()
    this.#clientLog.warn(`closed a new connection: the limit of ${this.#max} open descriptors is reached`)
    return true
  }
}
