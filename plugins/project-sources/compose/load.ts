import { dirname, resolve } from 'node:path'
import { LocaldError } from '../../../kernel/errors.ts'
import { canonicalService, canonicalTop } from './canonical.ts'
import { mergeNodes, withoutResets } from './merge.ts'
import { entriesOf, entryOf, itemsOf, type Mapping, mapping, type Node, type Place, textOf, withEntry } from './node.ts'
import type { Scope } from './template.ts'
import { type Reading, readVariables } from './variables.ts'
import { parseYaml } from './yaml.ts'

/** Makes the error of a compose file that compose would not take either. */
export function composeError({ file, line }: Place, message: string, key?: string): LocaldError {
  return new LocaldError('CONFIG_INVALID', `${file}:${line}: ${message}`, {
    hint: 'Correct the compose file.',
    problems: [{ file, line, message, ...(key === undefined ? {} : { key }) }],
  })
}

/** Where a file's relative paths start, and its variables. */
interface Setting {
  readonly folder: string
  readonly scope: Scope
}

/** A service while its `extends` are followed: the ones on the way, which must not come again. */
type Chain = readonly string[]

/** The limit of all files together: parsing more would hold up the daemon. */
const byteLimit = 128 * 1024
const serviceLimit = 200
/** The limit of services that extend one another. */
const extendLimit = 20
const includeLimit = 100

/** Reads compose files and what they include and extend. */
export class Loader {
  readonly #reading: Reading
  readonly #including: string[] = []
  /** Documents by the variables that they were read with, and by file: each service may extend one of the same file. */
  readonly #documents = new Map<Scope, Map<string, readonly Mapping[]>>()
  #bytes = 0
  #included = 0

  constructor(reading: Reading) {
    this.#reading = reading
  }

  /** The files that were read, absolute. */
  get files(): readonly string[] {
    return [...new Set([...this.#documents.values()].flatMap(byFile => [...byFile.keys()]))]
  }

  /**
   * Returns the files as one, merged in order: services in their long forms, with absolute paths. Throws CONFIG_INVALID
   * or CONFIG_UNREADABLE for what compose cannot read either, CONFIG_NOT_FOUND for a missing file.
   */
  async load(files: readonly string[], setting: Setting): Promise<Mapping> {
    let merged: Node = mapping([], { file: files[0] ?? '', line: 1 })
    for (const file of files) {
      for (const document of await this.#read(file, setting.scope)) {
        const top = await this.#complete(document, setting, merged)
        merged = mergeNodes(merged, top) ?? merged
      }
    }
    const clean = withoutResets(merged)
    return clean?.kind === 'mapping' ? clean : mapping([], merged.at)
  }

  async #read(file: string, scope: Scope): Promise<readonly Mapping[]> {
    const known = this.#documents.get(scope) ?? new Map<string, readonly Mapping[]>()
    this.#documents.set(scope, known)
    const documents = known.get(file) ?? (await this.#parse(file, scope))
    known.set(file, documents)
    return documents
  }

  async #parse(file: string, scope: Scope): Promise<readonly Mapping[]> {
    const text = await this.#reading.readNamed(file)
    if (text === undefined)
      throw new LocaldError('CONFIG_NOT_FOUND', `file not found: ${file}`, { hint: 'Check the path of the file.' })
    this.#bytes += Buffer.byteLength(text)
    if (this.#bytes > byteLimit)
      throw composeError({ file, line: 1 }, `larger than ${byteLimit / 1024} KiB, with the files before it`)
    const documents = await parseYaml(file, text, scope)
    return documents.map(document => {
      if (document.kind !== 'mapping')
        throw composeError(document.at, 'not a compose file: its top level is no mapping')
      return document
    })
  }

  /** Returns a document with its includes, and with services in which `extends` is replaced. */
  async #complete(document: Mapping, setting: Setting, earlier: Node): Promise<Mapping> {
    let top = canonicalTop(document, setting.folder)
    const services = top.entries.get('services')
    if (services?.kind === 'mapping') {
      if (services.entries.size > serviceLimit)
        throw composeError(services.at, `more than ${serviceLimit} services`, 'services')
      const complete = new Map<string, Node>()
      for (const name of services.entries.keys())
        complete.set(name, await this.#service(name, { services, earlier }, setting, []))
      top = withEntry(top, 'services', { ...services, entries: complete })
    }
    const included = await this.#includes(document, setting)
    return withEntry(included === undefined ? top : join(included, top), 'include', undefined)
  }

  /** Loads the files of `include`; undefined without any. */
  async #includes(document: Mapping, setting: Setting): Promise<Mapping | undefined> {
    let all: Mapping | undefined
    for (const item of itemsOf(document.entries.get('include'))) {
      const paths = item.kind === 'mapping' ? itemsOf(item.entries.get('path')) : [item]
      const files = paths.map(path => {
        const text = textOf(path)
        if (text === undefined || /^[a-z0-9+.-]+:\/\/|^git@/i.test(text))
          throw composeError(path.at, 'include: only files of this machine can be included', 'include')
        return resolve(setting.folder, text)
      })
      const [first] = files
      if (first === undefined) throw composeError(item.at, 'include: no path', 'include')
      if (++this.#included > includeLimit)
        throw composeError(item.at, `include: more than ${includeLimit} files`, 'include')
      if (this.#including.includes(first)) throw composeError(item.at, 'include: the file includes itself', 'include')
      const folder = resolve(setting.folder, textOf(entryOf(item, 'project_directory')) ?? dirname(first))
      const own = await readVariables(folder, this.#reading)
      this.#including.push(first)
      const loaded = await this.load(files, { folder, scope: name => setting.scope(name) ?? own(name) })
      this.#including.pop()
      all = all === undefined ? loaded : join(all, loaded)
    }
    return all
  }

  /** Returns a service in its long form, merged over the one that it extends. */
  async #service(
    name: string,
    places: { readonly services: Mapping; readonly earlier: Node },
    setting: Setting,
    chain: Chain,
  ): Promise<Node> {
    const node = places.services.entries.get(name)
    if (node?.kind !== 'mapping') return node ?? mapping([], places.services.at)
    const own = canonicalService(node, setting.folder)
    const parent = own.entries.get('extends')
    if (parent === undefined) return own
    const base = await this.#extended(name, parent, places, setting, chain)
    const merged = mergeNodes(base, withEntry(own, 'extends', undefined), ['services', name]) ?? own
    return { ...merged, at: own.at }
  }

  async #extended(
    name: string,
    parent: Node,
    places: { readonly services: Mapping; readonly earlier: Node },
    setting: Setting,
    chain: Chain,
  ): Promise<Node> {
    const key = `services.${name}.extends`
    const wanted = textOf(parent.kind === 'scalar' ? parent : entryOf(parent, 'service'))
    if (wanted === undefined) throw composeError(parent.at, 'extends: no service', key)
    const path = textOf(entryOf(parent, 'file'))
    const file = path === undefined ? parent.at.file : resolve(setting.folder, path)
    const step = `${file}\n${wanted}`
    if (chain.length === extendLimit)
      throw composeError(parent.at, `extends: more than ${extendLimit} services on the way`, key)
    if (chain.includes(step)) throw composeError(parent.at, 'extends: the service extends itself', key)
    if (path === undefined) {
      const inFile = places.services.entries.has(wanted)
      if (inFile) return await this.#service(wanted, places, setting, [...chain, step])
      const before = entryOf(places.earlier, 'services', wanted)
      if (before !== undefined) return before
    } else {
      const other = { folder: dirname(file), scope: setting.scope }
      for (const document of await this.#read(file, setting.scope)) {
        const services = document.entries.get('services')
        if (services?.kind !== 'mapping' || !services.entries.has(wanted)) continue
        return await this.#service(wanted, { services, earlier: services }, other, [...chain, step])
      }
    }
    throw composeError(parent.at, `extends: unknown service '${wanted}'`, key)
  }
}

/** Joins an included project with the one that includes it: a name stands for one thing. */
function join(included: Mapping, top: Mapping): Mapping {
  for (const kind of ['services', 'volumes', 'networks', 'secrets', 'configs']) {
    const known = new Set(entriesOf(included.entries.get(kind)).map(([name]) => name))
    const twice = entriesOf(top.entries.get(kind)).find(([name]) => kind === 'services' && known.has(name))
    if (twice !== undefined)
      throw composeError(twice[1].at, `'${twice[0]}' is in an included file, too`, `${kind}.${twice[0]}`)
  }
  const merged = mergeNodes(withEntry(included, 'name', undefined), top)
  return merged?.kind === 'mapping' ? merged : top
}
