import { closure } from '../../config/checks/dependency-graph.ts'
import type { ForeignMention } from '../../config/checks/foreign-dependencies.ts'
import type { LoadedPlan } from '../../projects/loaded-plan.ts'

/** Services of a project that are needed. `names` undefined: all. */
export interface Needed {
  readonly loaded: LoadedPlan
  readonly names: readonly string[] | undefined
}

/** Services of one project that can start before those of the next. */
export interface Batch extends Needed {
  readonly names: readonly string[]
}

/** A service in the graph of all projects. */
export interface Node {
  /** Its folder and name. */
  readonly name: string
  readonly loaded: LoadedPlan
  readonly service: string
  readonly dependsOn: string[]
  /** Where it names services of other projects, by their nodes. */
  readonly mentions: Map<string, ForeignMention>
}

/** Returns the services that are needed across projects, each after those that it depends on. */
export function batchesOf(nodes: readonly Node[]): readonly Batch[] {
  const targets = nodes.flatMap(({ dependsOn, mentions }) => dependsOn.filter(name => mentions.has(name)))
  const left = new Set(closure(nodes, targets))
  const batches: { readonly loaded: LoadedPlan; readonly names: string[] }[] = []
  while (left.size > 0) {
    const isNext = (node: Node) => left.has(node.name) && node.dependsOn.every(other => !left.has(other))
    const before = left.size
    let loaded: LoadedPlan | undefined
    const names: string[] = []
    const findNext = () => nodes.find(node => isNext(node) && (loaded === undefined || node.loaded === loaded))
    for (let next = findNext(); next !== undefined; next = findNext()) {
      loaded = next.loaded
      names.push(next.service)
      left.delete(next.name)
    }
    if (loaded === undefined || left.size === before) break
    batches.push({ loaded, names })
  }
  return batches
}
