import { type FSWatcher, watch } from 'node:fs'

/** Several files are deleted together: ms. */
const settleMs = 50

/** Reports, soon after, that something was deleted from a folder, or the folder itself. */
export class FolderRemoval {
  readonly #removed: () => void
  #watcher: FSWatcher | undefined
  #timer: NodeJS.Timeout | undefined

  constructor(removed: () => void) {
    this.#removed = removed
  }

  /** Watches the folder that exists now, and no other. Where watching fails, nothing is reported. */
  follow(folder: string): void {
    this.close()
    try {
      this.#watcher = watch(folder, { persistent: false }, kind => {
        if (kind === 'rename') this.#soon()
      }).on('error', () => this.close())
    } catch {
      // Such as no more watches.
    }
  }

  close(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#watcher?.close()
    this.#watcher = undefined
  }

  #soon(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined
      this.#removed()
    }, settleMs).unref()
  }
}
