import { relative, sep } from 'node:path'
import { WatchPatterns } from '../../config/fields/watch-patterns.ts'
import type { ServicePlan } from '../../contract/plugin.ts'
import type { OpenFolder } from '../../contract/services/folder-watch.ts'
import { FileWatcher } from './file-watcher.ts'
import type { WatchProblem } from './watch-problems.ts'

/** What the watches of a project's services need. */
export interface ServiceWatchesInput {
  readonly root: string
  readonly open: OpenFolder | undefined
  /** Called with a service's name and the changed files (relative to the root) that match its patterns. */
  readonly changed: (service: string, files: readonly string[]) => void
  /** Called with what prevents a service's files from being watched; undefined: nothing any more. */
  readonly failed: (service: string, problem: WatchProblem | undefined) => void
}

interface Watched {
  readonly patterns: string
  readonly watch: FileWatcher
  hasFailed: boolean
}

/** The `watch` patterns of one project's services. */
export class ServiceWatches {
  readonly #input: ServiceWatchesInput
  readonly #watches = new Map<string, Watched>()

  constructor(input: ServiceWatchesInput) {
    this.#input = input
  }

  /** Watches for exactly these services. Retries a watch that has failed. */
  async follow(services: readonly ServicePlan[]): Promise<void> {
    const wanted = new Map(services.filter(({ common }) => common.watch.length > 0).map(plan => [plan.name, plan]))
    const isStale = ([name, { patterns, hasFailed }]: readonly [string, Watched]) =>
      hasFailed || patterns !== keyOf(wanted.get(name))
    await Promise.all([...this.#watches].filter(isStale).map(([name]) => this.#close(name)))
    const fresh = [...wanted.values()].filter(plan => !this.#watches.has(plan.name))
    await Promise.all(fresh.map(plan => this.#open(plan)))
  }

  /** Returns a hash of each service's files and patterns. */
  signatures(): Readonly<Record<string, string>> {
    const known = [...this.#watches].flatMap(([name, { patterns, watch }]) => {
      const { signature } = watch
      return signature === undefined ? [] : [[name, `${signature} ${patterns}`] as const]
    })
    return Object.fromEntries(known)
  }

  async close(): Promise<void> {
    await this.follow([])
  }

  async #close(name: string): Promise<void> {
    const watched = this.#watches.get(name)
    this.#watches.delete(name)
    if (watched?.hasFailed) this.#input.failed(name, undefined)
    await watched?.watch.close()
  }

  async #open(plan: ServicePlan): Promise<void> {
    const { root, open, changed, failed } = this.#input
    const { default: picomatch } = await import('picomatch')
    const patterns = new WatchPatterns(root, plan.common.watch, picomatch)
    const inside = (path: string) => relative(root, path).split(sep).join('/')
    const watch = new FileWatcher({
      ...{ root, open },
      paths: patterns.bases,
      matches: file => patterns.matches(file),
      enters: folder => patterns.enters(folder),
      isCache: (folder, names) => patterns.isCache(folder, names),
      changed: files => changed(plan.name, files.map(inside)),
      failed: problem => {
        watched.hasFailed = problem !== undefined
        failed(plan.name, problem)
      },
    })
    const watched: Watched = { patterns: keyOf(plan) ?? '', watch, hasFailed: false }
    this.#watches.set(plan.name, watched)
    await watch.armed
  }
}

function keyOf(plan: ServicePlan | undefined): string | undefined {
  return plan === undefined ? undefined : JSON.stringify(plan.common.watch)
}
