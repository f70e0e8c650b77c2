import type { FromSchema } from 'json-schema-to-ts'

/**
 * The part of JSON schema that describes a file that locald writes. `findMismatch` interprets it instead of compiling
 * it: commands of the CLI also read such files, and ajv alone takes longer to load than they take to run.
 */
export interface FileSchema {
  readonly type?: Kind | readonly Kind[]
  readonly enum?: readonly (string | number)[]
  readonly pattern?: string
  readonly items?: FileSchema
  readonly properties?: Readonly<Record<string, FileSchema>>
  readonly required?: readonly string[]
  readonly additionalProperties?: FileSchema
}

type Kind = 'object' | 'array' | 'string' | 'number' | 'integer' | 'boolean' | 'null'

/** A schema of a file that remembers the TypeScript type of what it describes. */
export interface FileShape<out T> {
  readonly schema: FileSchema
  /** Never set: it only carries the type. */
  readonly type?: T
}

/** Gives a schema its TypeScript type, as `shape` does for plugins. */
export function fileShape<const S extends FileSchema, T = FromSchema<S>>(schema: S): FileShape<T> {
  return { schema }
}

/** Whether a value from a file has a shape. */
export function hasShape<T>(value: unknown, { schema }: FileShape<T>): value is T {
  return findMismatch(value, schema) === undefined
}

/** Returns the value, typed. Throws an Error that names the first key that does not fit. */
export function requireShape<T>(value: unknown, shape: FileShape<T>): T {
  if (hasShape(value, shape)) return value
  throw new Error(findMismatch(value, shape.schema) ?? 'wrong content')
}

/** Returns what is wrong with the first value that does not fit, and where it is; undefined where all fit. */
function findMismatch(value: unknown, schema: FileSchema, at = ''): string | undefined {
  const name = at === '' ? 'the content' : at
  const kinds = schema.type === undefined ? [] : [schema.type].flat()
  if (kinds.length > 0 && !kinds.some(kind => isKind(value, kind)))
    return `${name} is not of type ${kinds.join(' or ')}`
  if (schema.enum?.every(word => word !== value)) return `${name} is not one of ${schema.enum.join(', ')}`
  if (typeof value === 'string' && schema.pattern !== undefined && !new RegExp(schema.pattern).test(value))
    return `${name} does not match ${schema.pattern}`
  const place = (key: string | number) => (typeof key === 'number' ? `${at}[${key}]` : at === '' ? key : `${at}.${key}`)
  const keys = new Set(typeof value === 'object' && value !== null ? Object.keys(value) : [])
  const missing = schema.required?.find(key => !keys.has(key))
  if (missing !== undefined) return `${place(missing)} is missing`
  for (const [key, element, inner] of elementsOf(value, schema)) {
    const fault = findMismatch(element, inner, place(key))
    if (fault !== undefined) return fault
  }
  return undefined
}

/** Lists the elements and entries that a schema describes. */
function elementsOf(value: unknown, schema: FileSchema): readonly [string | number, unknown, FileSchema][] {
  const { items, properties = {}, additionalProperties } = schema
  if (Array.isArray(value)) return items === undefined ? [] : value.map((element, index) => [index, element, items])
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([key, entry]): [string, unknown, FileSchema][] => {
    const inner = Object.hasOwn(properties, key) ? properties[key] : additionalProperties
    return inner === undefined ? [] : [[key, entry, inner]]
  })
}

function isKind(value: unknown, kind: Kind): boolean {
  if (kind === 'null') return value === null
  if (kind === 'array') return Array.isArray(value)
  if (kind === 'object') return typeof value === 'object' && value !== null && !Array.isArray(value)
  return kind === 'integer' ? Number.isInteger(value) : typeof value === kind
}
