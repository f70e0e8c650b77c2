import { type List, type Mapping, type Node, textOf } from './node.ts'

/** Where a value is, from the top of the file; a service's name counts as one step. */
type Path = readonly string[]

/** What a stronger file replaces as a whole. */
const replaced: readonly RegExp[] = [
  /^services\/[^/]*\/(?:command|entrypoint)$/,
  /^services\/[^/]*\/healthcheck\/test$/,
  /^services\/[^/]*\/develop\/watch$/,
]

/** The lists of mappings in which an entry replaces an earlier one for the same target. */
const byTarget = /^services\/[^/]*\/(?:volumes|secrets|configs)$/

/**
 * Merges two values of the same place by the rules of compose: mappings are merged, lists appended, all else replaced;
 * `!override` replaces, `!reset` deletes. Returns undefined for a deleted value.
 */
export function mergeNodes(weak: Node, strong: Node, path: Path = []): Node | undefined {
  if (strong.tag === 'reset') return undefined
  if (strong.tag === 'override') return withoutResets(strong)
  if (strong.kind === 'scalar' && strong.isNull) return weak
  const place = path.map(part => part.replaceAll('/', ' ')).join('/')
  if (replaced.some(pattern => pattern.test(place))) return strong
  if (weak.kind === 'mapping' && strong.kind === 'mapping') return mergeMappings(weak, strong, path)
  if (weak.kind === 'list' && strong.kind === 'list') return appendList(weak, strong, byTarget.test(place))
  return withoutResets(strong)
}

function mergeMappings(weak: Mapping, strong: Mapping, path: Path): Mapping {
  const entries = new Map(weak.entries)
  for (const [key, value] of strong.entries) {
    const before = entries.get(key)
    const merged = before === undefined ? withoutResets(value) : mergeNodes(before, value, [...path, key])
    if (merged === undefined) entries.delete(key)
    else entries.set(key, merged)
  }
  return { ...weak, entries }
}

function appendList(weak: List, strong: List, isByTarget: boolean): List {
  const items = new Map<unknown, Node>()
  for (const item of [...weak.items, ...strong.items]) items.set(identityOf(item, isByTarget), item)
  return { ...weak, items: [...items.values()] }
}

function identityOf(item: Node, isByTarget: boolean): unknown {
  if (item.kind === 'scalar') return item.text
  const target =
    isByTarget && item.kind === 'mapping' ? (item.entries.get('target') ?? item.entries.get('source')) : undefined
  return textOf(target) ?? item
}

/** Removes values that a `!reset` deletes where no weaker file has them. */
export function withoutResets(node: Node): Node | undefined {
  if (node.tag === 'reset') return undefined
  if (node.kind !== 'mapping') return node
  const entries = new Map<string, Node>()
  for (const [key, value] of node.entries) {
    const clean = withoutResets(value)
    if (clean !== undefined) entries.set(key, clean)
  }
  return { ...node, entries }
}
