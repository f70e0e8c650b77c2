import { type FSWatcher, watch } from 'node:fs'
import { basename, dirname } from 'node:path'

/** How often a file is looked at where its folder cannot be watched, ms. */
const pollMs = 1000
/** After a change the next one is reported this much later at the earliest, ms: a busy container writes all the time. */
const restMs = 25

/** Waits for changes of one file, which may be created, replaced and removed; costs nothing while there is none. */
export class FileWatch {
  readonly #file: string
  #watcher: FSWatcher | undefined
  #isChanged = false
  #isHurried = false
  #isClosed = false
  #reportedAt = Number.NEGATIVE_INFINITY
  /** Looks whether the present pause is over. */
  #check = () => {}

  constructor(file: string) {
    this.#file = file
    this.#open()
  }

  /** Resolves after a change since the last call, after `wake`, or when it is closed. */
  async next(): Promise<void> {
    if (this.#watcher === undefined) this.#open()
    await this.#pause(this.#watcher === undefined ? pollMs : undefined, () => this.#isChanged)
    await this.#pause(this.#reportedAt + restMs - performance.now(), () => false)
    this.#isChanged = this.#isHurried = false
    this.#reportedAt = performance.now()
  }

  /** Resolves after a time, after `wake`, or when it is closed. */
  async retry(ms: number): Promise<void> {
    await this.#pause(ms, () => false)
    this.#isHurried = false
  }

  /** Reports a change now. */
  wake(): void {
    this.#isHurried = true
    this.#check()
  }

  close(): void {
    this.#isClosed = true
    this.#watcher?.close()
    this.#check()
  }

  /** Resolves after `ms` (undefined: never), when `isOver` is true, or when there is no time to lose. */
  #pause(ms: number | undefined, isOver: () => boolean): Promise<void> {
    return new Promise(resolve => {
      const timer = ms === undefined ? undefined : setTimeout(() => end(), Math.max(0, ms))
      const end = () => {
        clearTimeout(timer)
        this.#check = () => {}
        resolve()
      }
      this.#check = () => {
        if (this.#isClosed || this.#isHurried || isOver()) end()
      }
      this.#check()
    })
  }

  #open(): void {
    if (this.#isClosed) return
    try {
      const watcher = watch(dirname(this.#file), (_, name) => this.#handle(watcher, name))
      watcher.on('error', () => this.#lose(watcher))
      this.#watcher = watcher
      // It may have changed before.
      this.#isChanged = true
    } catch {
      // The folder does not exist yet, or the system has no watches left: the file is polled.
    }
  }

  #handle(watcher: FSWatcher, name: string | null): void {
    // The folder itself was removed or renamed.
    if (name === basename(dirname(this.#file))) this.#lose(watcher)
    else if (name !== null && name !== basename(this.#file)) return
    this.#isChanged = true
    this.#check()
  }

  #lose(watcher: FSWatcher): void {
    watcher.close()
    if (this.#watcher === watcher) this.#watcher = undefined
  }
}
