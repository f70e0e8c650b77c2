import { isTable, own, type Table } from '../../kernel/config/document/table.ts'
import { parseToml } from '../../kernel/config/sources/read.ts'
import { LocaldError } from '../../kernel/errors.ts'
import { closest } from '../../kernel/system/suggest.ts'
import { type Entry, isTomlValue, type TomlTable, type TomlValue } from '../init/toml.ts'

const prefix = 'type-'

/** A service type, as the JSON schema of `locald.toml` describes it. */
export class TypeSchema {
  readonly name: string
  readonly #root: Table
  readonly #schema: Table

  /** Throws SERVICE_TYPE_UNSUPPORTED, with all types, for an unknown one. */
  constructor(name: string, root: Table) {
    const definitions = tableIn(root, 'definitions')
    const types = Object.keys(definitions).flatMap(key => (key.startsWith(prefix) ? [key.slice(prefix.length)] : []))
    if (!types.includes(name)) {
      const near = closest(name, types)
      const image = types.includes('container') ? `, \`container image=${sampleImage(name)}\` for an image` : ''
      const hint = `Use one of ${types.join(', ')}${image}, or add a plugin with \`locald plugins add\`.`
      throw new LocaldError('SERVICE_TYPE_UNSUPPORTED', `unknown service type '${name}'`, {
        hint: near === undefined ? hint : `Did you mean '${near}'? ${hint}`,
      })
    }
    this.name = name
    this.#root = root
    this.#schema = tableIn(definitions, prefix + name)
  }

  /** Whether a service without `type` has this one. */
  get isDefault(): boolean {
    return !listIn(this.#schema, 'required').includes('type')
  }

  /**
   * Parses words such as `image=redis:7`, `health_check.path=/x`, `volumes=a volumes=b` to the keys of a service, each
   * with the type that the schema gives it. What is wrong with a key or value is left to the check of the whole file.
   */
  parse(words: readonly string[]): readonly Entry[] {
    const entries = new Map<string, TomlValue>()
    for (const word of words) {
      const [, key, text] = /^([^=]+)=(.*)$/s.exec(word) ?? []
      if (key === undefined || text === undefined)
        throw new LocaldError('USAGE', `'${word}' is not KEY=VALUE`, {
          hint: 'Write options as `version=17` or `health_check.path=/ready`.',
        })
      const [first = '', ...rest] = key.split('.')
      if (first === 'type')
        throw new LocaldError('USAGE', `the type is ${this.name} already`, { hint: `Remove \`${word}\`.` })
      const value = this.#merge(entries.get(first), [first, ...rest], rest, text)
      if (value === undefined)
        throw new LocaldError('USAGE', `'${key}' has two values`, { hint: `Write \`${first}\` once.` })
      entries.set(first, value)
    }
    return [...entries].map(([key, value]) => ({ key, value }))
  }

  /** Returns a key's value with another word added; undefined where the two exclude each other. */
  #merge(
    present: TomlValue | undefined,
    path: readonly string[],
    rest: readonly string[],
    text: string,
  ): TomlValue | undefined {
    const [key, ...deeper] = rest
    if (key !== undefined) {
      if (present !== undefined && !isTomlTable(present)) return undefined
      const inner = this.#merge(present?.[key], path, deeper, text)
      return inner === undefined ? undefined : { ...present, [key]: inner }
    }
    const schemas = this.#schemasAt(path)
    const value = this.#valueOf(text, schemas)
    if (present === undefined) return value
    return schemas.flatMap(kindsOf).includes('array') ? [present, value].flat() : undefined
  }

  #valueOf(text: string, schemas: readonly Table[]): TomlValue {
    const kinds = schemas.flatMap(kindsOf)
    const may = (...names: string[]) => kinds.length === 0 || names.some(name => kinds.includes(name))
    if (/^[[{]/.test(text) && may('array', 'object')) {
      const parsed = parseToml(`value = ${text}`)
      const value = 'data' in parsed ? own(parsed.data, 'value') : undefined
      if (isTomlValue(value)) return value
    }
    if (/^-?(?:0|[1-9]\d{0,14})(?:\.\d{1,9})?$/.test(text) && may('integer', 'number')) return Number(text)
    if ((text === 'true' || text === 'false') && may('boolean')) return text === 'true'
    if (may('string') || !may('array')) return text
    const items = schemas.flatMap(schema => this.#alternatives(own(schema, 'items')))
    return [this.#valueOf(text, items)]
  }

  /** Returns the schemas that a value at a path may have. */
  #schemasAt(path: readonly string[]): readonly Table[] {
    let schemas = this.#alternatives(this.#schema)
    for (const key of path)
      schemas = schemas.flatMap(schema => {
        const properties = tableIn(schema, 'properties')
        return this.#alternatives(own(properties, key) ?? own(schema, 'additionalProperties'))
      })
    return schemas
  }

  #alternatives(schema: unknown): readonly Table[] {
    if (!isTable(schema)) return []
    const reference = own(schema, '$ref')
    if (typeof reference === 'string')
      return this.#alternatives(own(tableIn(this.#root, 'definitions'), reference.replace('#/definitions/', '')))
    const inner = [...listIn(schema, 'anyOf'), ...listIn(schema, 'oneOf')]
    return [schema, ...inner.flatMap(each => this.#alternatives(each))]
  }
}

/** People name what they want to run: the type is then the name of an image. */
function sampleImage(name: string): string {
  return /^[a-z][a-z0-9]*$/.test(name) ? name : 'redis'
}

/** Returns the JSON types that a schema accepts. */
function kindsOf(schema: Table): readonly string[] {
  const type = own(schema, 'type')
  if (type !== undefined) return [type].flat().map(String)
  const values = [own(schema, 'const'), ...listIn(schema, 'enum')].filter(value => value !== undefined)
  return values.map(value => typeof value)
}

function tableIn(table: Table, key: string): Table {
  const value = own(table, key)
  return isTable(value) ? value : {}
}

function listIn(table: Table, key: string): readonly unknown[] {
  const value = own(table, key)
  return Array.isArray(value) ? value : []
}

function isTomlTable(value: TomlValue): value is TomlTable {
  return typeof value === 'object' && !Array.isArray(value)
}
