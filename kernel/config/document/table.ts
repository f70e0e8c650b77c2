/** A parsed table of a configuration file. */
export interface Table {
  readonly [key: string]: unknown
}

/** The position of a value in the configuration: table keys and array indexes from the top. */
export type Path = readonly (string | number)[]

/** Whether a value is a table. A TOML date is not. */
export function isTable(value: unknown): value is Table {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date)
}

/** Returns a table's own value; `constructor` and the like are keys like any other. */
export function own(table: Table, key: string): unknown {
  return Object.hasOwn(table, key) ? table[key] : undefined
}

/** Names the kind of a value, in TOML's words. Never the value itself, which may be a secret. */
export function kindOf(value: unknown): string {
  if (Array.isArray(value)) return 'an array'
  if (value instanceof Date) return 'a date'
  if (isTable(value)) return 'a table'
  if (typeof value === 'string') return 'a string'
  if (typeof value === 'number') return 'a number'
  return typeof value === 'boolean' ? 'true or false' : 'nothing'
}

/** Formats a path as TOML writes a dotted key; indexes as `[0]`. */
export function dotted(path: Path): string {
  let text = ''
  for (const part of path) {
    if (typeof part === 'number') text += `[${part}]`
    else text += `${text === '' ? '' : '.'}${/^[A-Za-z0-9_-]+$/.test(part) ? part : JSON.stringify(part)}`
  }
  return text
}

/** Returns the value at a path, and whether there is one. */
export function at(table: Table, path: Path): { readonly found: boolean; readonly value: unknown } {
  let value: unknown = table
  for (const part of path) {
    if (Array.isArray(value) && typeof part === 'number' && part < value.length) value = value[part]
    else if (isTable(value) && typeof part === 'string' && Object.hasOwn(value, part)) value = value[part]
    else return { found: false, value: undefined }
  }
  return { found: true, value }
}

/**
 * Merges two tables: tables key by key, all other values by the stronger. A service or health check of another `type`
 * replaces the weaker one as a whole.
 */
export function merge(weak: Table, strong: Table, path: Path = []): Table {
  if (isTyped(path)) {
    const [before, after] = [own(weak, 'type'), own(strong, 'type')]
    if (before !== undefined && after !== undefined && before !== after) return strong
  }
  const merged = new Map(Object.entries(weak))
  for (const [key, value] of Object.entries(strong)) {
    const under = merged.get(key)
    merged.set(key, isTable(under) && isTable(value) ? merge(under, value, [...path, key]) : value)
  }
  return Object.fromEntries(merged)
}

function isTyped(path: Path): boolean {
  return path[0] === 'services' && (path.length === 2 || (path.length === 3 && path[2] === 'health_check'))
}
