import { type FSWatcher, watch } from 'chokidar'

/** Changes within this time are one: an editor writes a file in several steps. ms */
const settleMs = 100

/** What is watched: paths (files, also ones that are not there yet, or folders), and which of what is found there matters. */
export interface WatchRequest {
  readonly paths: readonly string[]
  /** Absolute paths of files; absent: all. */
  readonly matches?: (file: string) => boolean
  /** Folders that are not entered. */
  readonly skips?: (folder: string) => boolean
  /** Called with the files that changed, in the order they did, at most once at a time. */
  readonly changed: (files: readonly string[]) => void
  readonly failed: (error: unknown) => void
}

/** Watches files by the system's notifications; what changes together is told together. */
export class FileWatch {
  readonly #watcher: FSWatcher
  readonly #request: WatchRequest
  readonly #files = new Set<string>()
  #timer: NodeJS.Timeout | undefined
  /** Resolves when changes are noticed from now on. */
  readonly armed: Promise<void>

  constructor(request: WatchRequest) {
    this.#request = request
    const { paths, skips } = request
    this.#watcher = watch([...paths], {
      ignoreInitial: true,
      persistent: false,
      ...(skips === undefined ? {} : { ignored: path => skips(path) }),
    })
    this.armed = new Promise(resolve => this.#watcher.once('ready', () => resolve()))
    this.#watcher.on('all', (event, path) => {
      if (event === 'add' || event === 'change' || event === 'unlink') this.#note(path)
    })
    this.#watcher.on('error', error => request.failed(error))
  }

  async close(): Promise<void> {
    clearTimeout(this.#timer)
    await this.#watcher.close()
  }

  #note(file: string): void {
    if (this.#request.matches?.(file) === false) return
    this.#files.add(file)
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => {
      const files = [...this.#files]
      this.#files.clear()
      this.#request.changed(files)
    }, settleMs).unref()
  }
}
