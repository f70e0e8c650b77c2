import type { FindingKind, Findings } from './findings.ts'
import { isNothing, isTrue, itemsOf, type Mapping, type Node, type Place, type Scalar } from './node.ts'

/** Reads the keys of a mapping once each, so that what nothing has read can be listed. */
export class KeyReader {
  readonly at: Place
  /** Dotted: `services.web`. */
  readonly key: string
  readonly #node: Mapping
  readonly #findings: Findings
  readonly #taken = new Set<string>()

  constructor(node: Mapping, key: string, findings: Findings) {
    this.#node = node
    this.key = key
    this.at = node.at
    this.#findings = findings
  }

  /** Returns a value that is there. */
  take(key: string): Node | undefined {
    this.#taken.add(key)
    const node = this.#node.entries.get(key)
    return isNothing(node) ? undefined : node
  }

  /** Returns a text, as it is now; notes what is not one. */
  text(key: string): string | undefined {
    const node = this.take(key)
    return node === undefined ? undefined : this.textOf(node, key)
  }

  /** Returns the texts of a list, or of a single value. */
  texts(key: string): readonly string[] {
    return itemsOf(this.take(key)).flatMap(item => this.textOf(item, key) ?? [])
  }

  /** Returns whether a key says yes; undefined without it. */
  flag(key: string): boolean | undefined {
    const node = this.take(key)
    return node === undefined || this.textOf(node, key) === undefined ? undefined : isTrue(node)
  }

  /** Returns a reader of a mapping below; notes another value. */
  inside(key: string): KeyReader | undefined {
    const node = this.take(key)
    return node === undefined ? undefined : this.below(node, key)
  }

  /** Returns a reader of a mapping that was taken already. */
  below(node: Node, key: string): KeyReader | undefined {
    if (node.kind === 'mapping') return new KeyReader(node, `${this.key}.${key}`, this.#findings)
    return this.note('refused', key, 'must be a mapping', node.at)
  }

  /** Returns the text of a node of this mapping; notes the variables whose present values are in it. */
  textOf(node: Node, key: string): string | undefined {
    if (node.kind !== 'scalar') return this.note('refused', key, 'must be a text', node.at)
    if (node.fault !== undefined) return this.note('refused', key, node.fault, node.at)
    this.noteVariables(key, node.variables, node)
    return node.text
  }

  noteVariables(key: string, variables: readonly string[], { at }: Pick<Scalar, 'at'>): void {
    const names = [...new Set(variables)].map(name => `\${${name}}`).join(', ')
    if (names !== '') this.note('changed', key, `has the present value of ${names}: a later one changes nothing`, at)
  }

  /** Notes something about a key; by default at its line. */
  note(kind: FindingKind, key: string, message: string, place?: Place): undefined {
    const at = place ?? this.#node.entries.get(key)?.at ?? this.at
    this.#findings.add(kind, key === '' ? this.key : `${this.key}.${key}`, message, at)
  }

  /** Returns the entries that nothing has read; extensions (`x-…`) and empty ones are no part of them. */
  get rest(): readonly (readonly [string, Node])[] {
    return [...this.#node.entries].filter(
      ([key, node]) => !this.#taken.has(key) && !key.startsWith('x-') && !isNothing(node),
    )
  }
}
