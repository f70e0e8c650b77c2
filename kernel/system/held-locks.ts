import { spawnSync } from 'node:child_process'
import { closeSync, constants, fstatSync, openSync, utimesSync } from 'node:fs'
import { inodeOf } from './files.ts'

/** A keeper takes a lock at once: ms. */
const lockMs = 5000
/** Its exit code when another process holds the lock (EX_TEMPFAIL of sysexits(3)). */
const isLocked = 75

/**
 * The locks that this process was started with (`locald-keeper lock`). One whose file was removed keeps no one out any more: it is taken
 * again. Node has no flock(2), so the keeper takes it, of a file that is open here: such a lock belongs to the open file, not to the process.
 */
export class HeldLocks {
  readonly #keeper: string
  readonly #inodes: Map<string, number | undefined>
  /** Open files that hold locks which were taken here. */
  readonly #open = new Map<string, number>()

  /** `keeper`: the program; `files`: those of the locks. */
  constructor(keeper: string, files: readonly string[]) {
    this.#keeper = keeper
    this.#inodes = new Map(files.map(file => [file, inodeOf(file)]))
  }

  /** Takes those again whose files are not there any more, where they can be made. The result: files that another process has locked. */
  restore(): readonly string[] {
    return [...this.#inodes].flatMap(([file, inode]) =>
      inode !== undefined && inodeOf(file) === inode ? [] : this.#take(file),
    )
  }

  /** Makes them look used, for cleaners that go by age. Never throws. */
  touch(): void {
    const now = new Date()
    for (const file of this.#inodes.keys()) {
      try {
        utimesSync(file, now, now)
      } catch {
        // Removed: it is taken again at the next look.
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
        // It stays open: that holds the lock.
        this.#inodes.set(file, fstatSync(descriptor).ino)
        const last = this.#open.get(file)
        this.#open.set(file, descriptor)
        if (last !== undefined) closeSync(last)
        return []
      }
      closeSync(descriptor)
      return status === isLocked ? [file] : []
    } catch {
      // Its folder was removed, or is another user's.
      return []
    }
  }
}
