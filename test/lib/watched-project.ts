import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, relative } from 'node:path'
import picomatch from 'picomatch'
import type { Test } from 'tap'
import { WatchPatterns } from '../../kernel/config/fields/watch-patterns.ts'
import type { OpenFolder } from '../../kernel/contract/plugin.ts'
import { FileWatcher } from '../../kernel/operations/watch/file-watcher.ts'
import { openFolder } from '../../kernel/operations/watch/folder-watcher.ts'
import type { WatchProblem } from '../../kernel/operations/watch/watch-problems.ts'

/** ms */
const deadline = 10_000

/** A watched project folder, and the reports of its changes. */
export class WatchedProject {
  readonly above = mkdtempSync(join(tmpdir(), 'locald-watch-'))
  readonly root = join(this.above, 'project')
  readonly problems: WatchProblem[] = []
  readonly reports: string[][] = []
  /** The folders that watches were opened for. */
  readonly opened: string[] = []
  #notify = () => {}

  constructor(t: Test, files: Readonly<Record<string, string>> = {}) {
    mkdirSync(this.root)
    for (const [name, text] of Object.entries(files)) this.write(name, text)
    t.teardown(() => rmSync(this.above, { recursive: true, force: true }))
  }

  get folders(): number {
    return this.opened.length
  }

  at(name: string): string {
    return join(this.root, name)
  }

  write(name: string, text: string): void {
    mkdirSync(dirname(this.at(name)), { recursive: true })
    writeFileSync(this.at(name), text)
  }

  /** Watches patterns, or files whose content matters. */
  async watch(
    t: Test,
    watched: { readonly patterns: readonly string[] } | { readonly files: readonly string[] },
    open: OpenFolder = openFolder,
  ): Promise<void> {
    const patterns = 'patterns' in watched ? new WatchPatterns(this.root, watched.patterns, picomatch) : undefined
    const watch = new FileWatcher({
      root: this.root,
      paths: 'files' in watched ? watched.files.map(file => this.at(file)) : (patterns?.bases ?? []),
      ...(patterns === undefined
        ? {}
        : {
            matches: (file: string) => patterns.matches(file),
            enters: (folder: string) => patterns.enters(folder),
            isCache: (folder: string, names: readonly string[]) => patterns.isCache(folder, names),
          }),
      changed: files => {
        this.reports.push(files.map(file => relative(this.root, file)).sort())
        this.#notify()
      },
      failed: problem => {
        this.problems.push(problem ?? { message: 'none any more' })
        this.#notify()
      },
      open: (...args) => {
        this.opened.push(relative(this.root, args[0]))
        return open(...args)
      },
    })
    t.teardown(() => watch.close())
    await watch.armed
  }

  /** Waits for a report of `file`; returns all files reported until then. */
  async next(file: string): Promise<readonly string[]> {
    await this.#until(() => this.reports.flat().includes(file), file)
    return this.reports.splice(0).flat().sort()
  }

  /** Waits for this many problems, counting the end of one. */
  async untilProblems(problems: number): Promise<void> {
    await this.#until(() => this.problems.length >= problems, `${problems} problems`)
  }

  async #until(hasReported: () => boolean, what: string): Promise<void> {
    while (!hasReported()) {
      await new Promise<void>((resolve, reject) => {
        // Watches keep no process alive, a timer does.
        const timedOut = () =>
          reject(new Error(`timed out waiting for a report of ${what}: ${JSON.stringify(this.reports)}`))
        const timer = setTimeout(timedOut, deadline)
        this.#notify = () => {
          clearTimeout(timer)
          resolve()
        }
      })
    }
  }
}
