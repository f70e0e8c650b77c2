import { spawnSync } from 'node:child_process'
import { closeSync, constants, fstatSync, openSync, utimesSync } from 'node:fs'
import { inodeOf } from '../files.ts'

/** A keeper locks without waiting: ms. */
const lockMs = 5000
/** Its exit code when another process holds the lock (EX_TEMPFAIL of sysexits(3)). */
const isLocked = 75

/**
 * The locks that this process was started with (`locald-keeper lock`). One whose file was deleted keeps no other daemon
 * out: it is locked again. Node has no flock(2), so the keeper locks a file that is open here: such a lock belongs to
 * the open file, not to the process.
 */
export class DaemonLocks {
  readonly #keeper: string
  readonly #inodes: Map<string, number | undefined>
  /** The open files of the locks that were taken here. */
  readonly #open = new Map<string, number>()

  /**
   * @param keeper the keeper's program
   * @param files the lock files
   */
  constructor(keeper: string, files: readonly string[]) {
    this.#keeper = keeper
    this.#inodes = new Map(files.map(file => [file, inodeOf(file)]))
  }

  /**
   * Locks again the files that were deleted, where they can be created. Returns those that another process has locked.
   */
  restore(): readonly string[] {
    return [...this.#inodes].flatMap(([file, inode]) =>
      inode !== undefined && inodeOf(file) === inode ? [] : this.#take(file),
    )
  }

  /** Updates the files' times, for cleaners that go by age. Never throws. */
  touch(): void {
    const now = new Date()
    for (const file of this.#inodes.keys()) {
      try {
        utimesSync(file, now, now)
      } catch {
        // Deleted: `restore` locks it again.
      }
    }
  }

  #take(file: string): readonly string[] {
    try {
      const descriptor = openSync(file, constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW, 0o600)
      const { status } = spawnSync(this.#keeper, ['relock'], {
        stdio: [descriptor, 'ignore', 'ignore'],
        timeout: lockMs,
      })
      if (status === 0) {
        // The open file holds the lock.
        this.#inodes.set(file, fstatSync(descriptor).ino)
        const last = this.#open.get(file)
        this.#open.set(file, descriptor)
        if (last !== undefined) closeSync(last)
        return []
      }
      closeSync(descriptor)
      return status === isLocked ? [file] : []
    } catch {
      // Its folder was deleted, or is another user's.
      return []
    }
  }
}
