import type { Socket } from 'node:net'
import { descriptorOf } from '../http1/shared-read.ts'
import type { Complaints } from '../rate-limited-log.ts'

/**
 * On macOS no program is started any more once the pipes to it would get descriptors from OPEN_MAX on, 10240: posix_spawn refuses them
 * with EBADF (xnu-11417.101.15, libsyscall/wrappers/spawn/posix_spawn.c, posix_spawn_file_actions_adddup2; bsd/sys/syslimits.h). Node
 * raises the limit of open files above that. Half is left to the connections to services and all else.
 */
const macDescriptors = 5120

/** The highest descriptor that a client's connection may have on a system. */
export function mostDescriptors(os: NodeJS.Platform): number {
  return os === 'darwin' ? macDescriptors : Number.POSITIVE_INFINITY
}

/** Closes the connections that are too many. A system gives the lowest descriptor that is free, so that its number says how many are open. */
export class Crowd {
  readonly #most: number
  readonly #complaints: Complaints

  constructor(most: number, complaints: Complaints) {
    this.#most = most
    this.#complaints = complaints
  }

  /** Whether an accepted connection is one too many; it is closed then, without an answer. */
  refuses(socket: Socket): boolean {
    if ((descriptorOf(socket) ?? 0) < this.#most) return false
    socket.destroy()
    this.#complaints.say(`closed a connection at once: there are ${this.#most} already`)
    return true
  }
}
