import type { Place } from '../../../kernel/contract/plugin.ts'

export type { Place }

/** What a file says about the merge with the files before it: `!reset` deletes the value, `!override` replaces it. */
export type MergeTag = 'reset' | 'override'

interface Common {
  readonly at: Place
  readonly tag?: MergeTag | undefined
}

/** A plain value of YAML. */
export interface Scalar extends Common {
  readonly kind: 'scalar'
  readonly isNull: boolean
  /** As written, with its references to variables. */
  readonly template: string
  /** With the values of its variables. */
  readonly text: string
  /** The names of those variables. */
  readonly variables: readonly string[]
  /** Why `text` is not what compose would read: a malformed reference, or a required variable that is not set. */
  readonly fault?: string | undefined
}

export interface List extends Common {
  readonly kind: 'list'
  readonly items: readonly Node[]
}

export interface Mapping extends Common {
  readonly kind: 'mapping'
  readonly entries: ReadonlyMap<string, Node>
}

/** A value of a compose file; immutable. */
export type Node = Scalar | List | Mapping

/** Creates a plain text, for what a short form stands for. */
export function scalar(text: string, at: Place): Scalar {
  return { kind: 'scalar', isNull: false, template: text, text, variables: [], at }
}

/** Creates what a key without a value has. */
export function nothing(at: Place): Scalar {
  return { ...scalar('', at), isNull: true }
}

export function mapping(entries: Iterable<readonly [string, Node]>, at: Place): Mapping {
  return { kind: 'mapping', entries: new Map(entries), at }
}

/** Returns a copy with one entry set, or removed. */
export function withEntry(node: Mapping, key: string, value: Node | undefined): Mapping {
  const entries = new Map(node.entries)
  if (value === undefined) entries.delete(key)
  else entries.set(key, value)
  return { ...node, entries }
}

/** Returns the entry of a mapping; undefined for other nodes, and where it is missing. */
export function entryOf(node: Node | undefined, ...path: readonly string[]): Node | undefined {
  let at = node
  for (const key of path) at = at?.kind === 'mapping' ? at.entries.get(key) : undefined
  return at
}

/** Returns the entries of a mapping; none for other nodes. */
export function entriesOf(node: Node | undefined): readonly (readonly [string, Node])[] {
  return node?.kind === 'mapping' ? [...node.entries] : []
}

/** Returns the items of a list; a single value counts as a list of one, nothing as none. */
export function itemsOf(node: Node | undefined): readonly Node[] {
  if (node === undefined || isNothing(node)) return []
  return node.kind === 'list' ? node.items : [node]
}

/** Whether a node is `null`, or missing. */
export function isNothing(node: Node | undefined): boolean {
  return node === undefined || (node.kind === 'scalar' && node.isNull)
}

/** Returns a text without noting anything: for keys and comparisons. */
export function textOf(node: Node | undefined): string | undefined {
  return node?.kind === 'scalar' && !node.isNull ? node.text : undefined
}

/** Whether a value says yes, as YAML 1.1 and Go's parser read it. */
export function isTrue(node: Node | undefined): boolean {
  return /^(?:true|yes|on|y|1)$/i.test(textOf(node) ?? '')
}
