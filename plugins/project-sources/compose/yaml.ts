import type { Document, LineCounter, Node as YamlNode } from 'yaml'
import { LocaldError } from '../../../kernel/errors.ts'
import { isTooDeep } from '../yaml-depth.ts'
import { type MergeTag, mapping, type Node, nothing, type Place, type Scalar } from './node.ts'
import { parseTemplate, resolveTemplate, type Scope, variablesOf } from './template.ts'

type Yaml = typeof import('yaml')

/** The limit of nesting, which keeps recursive functions from overflowing the stack. */
const depthLimit = 64
/** The limit of values after aliases are replaced: a small file could stand for billions. */
const sizeLimit = 20_000
const documentLimit = 20
/** The limit of all texts together, with the values of their variables: characters. */
const textLimit = 1_000_000

/**
 * Parses a YAML file: one node for each document in it. Aliases and merge keys (`<<`) are replaced, and texts get the
 * values of their variables. Throws CONFIG_INVALID with file and line, without any of the file's words, which may be
 * secrets.
 */
export async function parseYaml(file: string, text: string, scope: Scope): Promise<readonly Node[]> {
  if (isTooDeep(text)) throw invalid(file, 1, nestedTooDeep)
  if (text.split(/^---/m, documentLimit + 2).length > documentLimit + 1)
    throw invalid(file, 1, `more than ${documentLimit} documents`)
  const yaml = await import('yaml')
  const lines = new yaml.LineCounter()
  const options = {
    lineCounter: lines,
    logLevel: 'silent',
    prettyErrors: false,
    stringKeys: false,
    uniqueKeys: false,
  } as const
  let documents: readonly Document[]
  try {
    const parsed = yaml.parseAllDocuments(text, options)
    documents = Array.isArray(parsed) ? parsed : []
  } catch (error) {
    if (error instanceof RangeError) throw invalid(file, 1, nestedTooDeep)
    throw error
  }
  for (const { errors } of documents) {
    const [error] = errors
    if (error !== undefined) throw invalid(file, lines.linePos(error.pos[0]).line, `not valid YAML: ${reasonOf(error)}`)
  }
  return documents.flatMap(({ contents }) => {
    if (contents === null) return []
    return [new Converter(yaml, file, lines, scope).convert(contents, lineOf(contents, lines), 0)]
  })
}

const nestedTooDeep = `nested more than ${depthLimit} deep`

/** The parser's words for what is wrong, which quote no value. */
function reasonOf({ code }: { readonly code: string }): string {
  return code.toLowerCase().replaceAll('_', ' ')
}

function invalid(file: string, line: number, message: string): LocaldError {
  return new LocaldError('CONFIG_INVALID', `${file}:${line}: ${message}`, {
    hint: 'Correct the compose file.',
    problems: [{ file, line, message }],
  })
}

function lineOf(node: YamlNode, lines: LineCounter): number {
  return lines.linePos(node.range?.[0] ?? 0).line || 1
}

const tags: ReadonlyMap<string, MergeTag> = new Map([
  ['!reset', 'reset'],
  ['!override', 'override'],
])

class Converter {
  readonly #yaml: Yaml
  readonly #file: string
  readonly #lines: LineCounter
  readonly #scope: Scope
  /** Nodes by their anchors, in the order of the text: a name may stand for another node later. */
  readonly #anchors = new Map<string, YamlNode>()
  readonly #seen = new WeakSet<YamlNode>()
  readonly #targets = new WeakMap<YamlNode, YamlNode>()
  #size = 0
  #length = 0

  constructor(yaml: Yaml, file: string, lines: LineCounter, scope: Scope) {
    this.#yaml = yaml
    this.#file = file
    this.#lines = lines
    this.#scope = scope
  }

  /** Converts a node; its place is the line of its key. */
  convert(node: unknown, line: number, depth: number): Node {
    const at: Place = { file: this.#file, line }
    if (depth > depthLimit) throw invalid(this.#file, line, nestedTooDeep)
    if (++this.#size > sizeLimit) throw invalid(this.#file, line, `more than ${sizeLimit} values`)
    const { isAlias, isMap, isScalar, isSeq } = this.#yaml
    if (isAlias(node)) {
      const target = this.#targets.get(node) ?? this.#anchors.get(node.source)
      if (target === undefined) throw invalid(this.#file, line, 'an alias without an anchor before it')
      this.#targets.set(node, target)
      return this.convert(target, line, depth + 1)
    }
    if ((isMap(node) || isSeq(node) || isScalar(node)) && !this.#seen.has(node)) {
      this.#seen.add(node)
      if (node.anchor !== undefined) this.#anchors.set(node.anchor, node)
    }
    const tag = isMap(node) || isSeq(node) || isScalar(node) ? tags.get(node.tag ?? '') : undefined
    if (isMap(node)) return { ...mapping(this.#entries(node.items, line, depth), at), tag }
    if (isSeq(node)) return { kind: 'list', items: node.items.map(item => this.#item(item, line, depth)), at, tag }
    return { ...(isScalar(node) ? this.#scalar(node, at) : nothing(at)), tag }
  }

  #item(item: unknown, line: number, depth: number): Node {
    return this.convert(item, this.#yaml.isNode(item) ? lineOf(item, this.#lines) : line, depth + 1)
  }

  /** Own entries win over those of merge keys. */
  #entries(pairs: readonly { key: unknown; value: unknown }[], line: number, depth: number): Map<string, Node> {
    const merged = new Map<string, Node>()
    const own = new Map<string, Node>()
    for (const { key, value } of pairs) {
      const { isNode, isScalar } = this.#yaml
      const keyLine = isNode(key) ? lineOf(key, this.#lines) : line
      const name = isScalar(key) ? (key.source ?? String(key.value)) : ''
      const node = this.convert(value, keyLine, depth + 1)
      if (name !== '<<') {
        if (own.has(name)) throw invalid(this.#file, keyLine, 'not valid YAML: duplicate key')
        own.set(name, node)
        continue
      }
      for (const source of node.kind === 'list' ? node.items : [node]) {
        if (source.kind !== 'mapping') throw invalid(this.#file, keyLine, 'a merge key (<<) that names no mapping')
        for (const [name, value] of source.entries) if (!merged.has(name)) merged.set(name, value)
      }
    }
    for (const [name, value] of own) merged.set(name, value)
    return merged
  }

  #scalar(node: { value: unknown; source?: string | undefined; type?: string | undefined }, at: Place): Scalar {
    if (node.value === null || node.value === undefined) return nothing(at)
    // Numbers as they are written: 3.10 stays 3.10.
    const template = typeof node.value === 'string' ? node.value : (node.source ?? String(node.value))
    const pieces = parseTemplate(template)
    const base = { kind: 'scalar', isNull: false, template, at } as const
    if ('fault' in pieces) return { ...base, text: template, variables: [], fault: pieces.fault }
    const text = resolveTemplate(pieces, this.#scope)
    this.#length += typeof text === 'string' ? text.length : 0
    if (this.#length > textLimit) throw invalid(this.#file, at.line, `more than ${textLimit} characters`)
    const variables = variablesOf(pieces)
    return typeof text === 'string'
      ? { ...base, text, variables }
      : { ...base, text: template, variables, fault: text.fault }
  }
}
