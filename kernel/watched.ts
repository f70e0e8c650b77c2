import { relative, resolve, sep } from 'node:path'
import { FileWatch } from './file-watch.ts'
import type { ServicePlan } from './plugin.ts'

/** Folders no `watch` pattern looks into unless it names them: dependencies, history. */
const skipped = new Set(['node_modules', '.git', '.hg', '.venv', '__pycache__'])

/** What the watches of a project's services need. */
export interface WatchedInput {
  readonly root: string
  /** Called with a service's name and the files (relative to the root) that its patterns fit. */
  readonly changed: (service: string, files: readonly string[]) => void
  readonly failed: (service: string, error: unknown) => void
}

/** The `watch` patterns of one project's services. */
export class WatchedSources {
  readonly #input: WatchedInput
  readonly #watches = new Map<string, { readonly patterns: string; readonly watch: FileWatch }>()

  constructor(input: WatchedInput) {
    this.#input = input
  }

  /** Watches for these services, and no others any more. */
  async follow(services: readonly ServicePlan[]): Promise<void> {
    const wanted = new Map(services.filter(({ common }) => common.watch.length > 0).map(plan => [plan.name, plan]))
    const stale = [...this.#watches].filter(([name, { patterns }]) => patterns !== keyOf(wanted.get(name)))
    await Promise.all(
      stale.map(([name, { watch }]) => {
        this.#watches.delete(name)
        return watch.close()
      }),
    )
    const fresh = [...wanted.values()].filter(plan => !this.#watches.has(plan.name))
    await Promise.all(fresh.map(plan => this.#open(plan)))
  }

  async close(): Promise<void> {
    await this.follow([])
  }

  async #open(plan: ServicePlan): Promise<void> {
    const { root, changed, failed } = this.#input
    const { watch: patterns } = plan.common
    const { default: picomatch } = await import('picomatch')
    const isWanted = picomatch([...patterns], { dot: true })
    const named = new Set(patterns.flatMap(pattern => pattern.split('/')).filter(part => skipped.has(part)))
    const inside = (path: string) => relative(root, path).split(sep).join('/')
    const watch = new FileWatch({
      paths: [...new Set(patterns.map(pattern => resolve(root, picomatch.scan(pattern).base)))],
      matches: file => isWanted(inside(file)),
      skips: path =>
        inside(path)
          .split('/')
          .some(part => skipped.has(part) && !named.has(part)),
      changed: files => changed(plan.name, files.map(inside)),
      failed: error => failed(plan.name, error),
    })
    this.#watches.set(plan.name, { patterns: keyOf(plan) ?? '', watch })
    await watch.armed
  }
}

function keyOf(plan: ServicePlan | undefined): string | undefined {
  return plan === undefined ? undefined : JSON.stringify(plan.common.watch)
}
