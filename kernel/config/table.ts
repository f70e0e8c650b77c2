/** A table of a configuration file, as parsed. */
export interface Table {
  readonly [key: string]: unknown
}

/** Where a value is in the configuration: table keys and array indexes from the top. */
export type Path = readonly (string | number)[]

/** Whether a value is a table. A TOML date is not. */
export function isTable(value: unknown): value is Table {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date)
}

/** A table's own value; `constructor` and the like are keys as any other. */
export function own(table: Table, key: string): unknown {
  return Object.hasOwn(table, key) ? table[key] : undefined
}

/** What kind of value it is, in TOML's words. Never the value itself: it may be a secret. */
export function kindOf(value: unknown): string {
  if (Array.isArray(value)) return 'an array'
  if (value instanceof Date) return 'a date'
  if (isTable(value)) return 'a table'
  if (typeof value === 'string') return 'a string'
  if (typeof value === 'number') return 'a number'
  return typeof value === 'boolean' ? 'true or false' : 'nothing'
}

/** A path as TOML writes a dotted key; indexes as `[0]`. */
export function dotted(path: Path): string {
  let text = ''
  for (const part of path) {
    if (typeof part === 'number') text += `[${part}]`
    else text += `${text === '' ? '' : '.'}${/^[A-Za-z0-9_-]+$/.test(part) ? part : JSON.stringify(part)}`
  }
  return text
}

/** The value at a path, and whether there is one. */
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
 * The two laid over each other: tables key by key, everything else replaced by the stronger. A service or health check of
 * another `type` is another thing and replaces the weaker one as a whole.
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
