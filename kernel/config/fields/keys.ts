import { Problems, Spot } from '../document/problems.ts'
import { own, type Table } from '../document/table.ts'
import type { ValueType } from './value-type.ts'

/** A key of a table: all that the reader, the JSON schema, the documentation and the suggestions know about it. */
export interface Key<out T = unknown> {
  readonly key: string
  readonly type: ValueType<T>
  /** A sentence for editors and agents, in the JSON schema. */
  readonly doc: string
  /** What applies without the key, in words; of a key that must be there: `required`. */
  readonly absent?: string
}

/** A key with a default. */
export interface DefaultedKey<out T> extends Key<T> {
  /** The default as a file would have it. */
  readonly default: Written
  /** The default as the reader returns it. */
  readonly value: T
}

type Written = string | number | boolean

/** What `absent` says of a key that must be there. */
export const required = 'required'

/** Gives a key a default, which the key's own type must take. */
export function withDefault<T>(key: Key<T>, written: Written): DefaultedKey<T> {
  const value = key.type.read(new Spot(new Problems(), [key.key], written))
  if (value === undefined) throw new Error(`${key.key} does not take its own default ${written}`)
  return { ...key, default: written, value }
}

/** Whether a key has a default. */
export function hasDefault<T>(key: Key<T>): key is DefaultedKey<T> {
  return 'default' in key
}

/** Reads the value of a key. Returns the default for an absent key, and for a wrong value after noting it. */
export function readKey<T>(spot: Spot, table: Table, key: DefaultedKey<T>): T
export function readKey<T>(spot: Spot, table: Table, key: Key<T>): T | undefined
export function readKey<T>(spot: Spot, table: Table, key: Key<T>): T | undefined {
  const written = own(table, key.key)
  const place = spot.inside(key.key, written)
  if (written === undefined) {
    if (key.absent === required) place.wrong('missing key')
    return hasDefault(key) ? key.value : undefined
  }
  return key.type.read(place) ?? (hasDefault(key) ? key.value : undefined)
}

/** Returns the JSON schema of a key. */
export function schemaOfKey(key: Key): Table {
  return { ...key.type.schema, ...(hasDefault(key) ? { default: key.default } : {}), description: key.doc }
}

/** Returns the JSON schema of a table with these keys and no others. */
export function schemaOfTable(keys: readonly Key[]): Table {
  return {
    type: 'object',
    additionalProperties: false,
    required: keys.filter(({ absent }) => absent === required).map(({ key }) => key),
    properties: Object.fromEntries(keys.map(key => [key.key, schemaOfKey(key)])),
  }
}
