import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv'
import { fits, isSimple } from '../../lib/simple-schema.ts'
import { closest } from '../../system/suggest.ts'
import { isTable, own, type Path, type Table } from '../document/table.ts'
import { meantKey, withSuggestion } from './suggestions.ts'

const options = {
  allErrors: true,
  useDefaults: true,
  // Unknown keywords are annotations for editors.
  strict: false,
  verbose: true,
  validateFormats: false,
  logger: false,
  // The metaschema takes ten times as long to compile as a plugin's own schema. ajv rejects a schema that it cannot
  // compile without it.
  meta: false,
  validateSchema: false,
} as const

/**
 * Compiles a plugin's own JSON schema to a check that fills in defaults and finds all errors. Throws ajv's error for a
 * bad schema.
 */
export function compilePluginSchema(schema: unknown): ValidateFunction {
  return new Ajv(options).compile(isTable(schema) ? schema : {})
}

/**
 * Returns what the check of a plugin's own schema makes of an empty table, without compiling it: for schemas that are
 * known to accept one, and whose defaults are at the top level.
 */
export function defaultsOf(schema: unknown): Table {
  const properties = isTable(schema) ? own(schema, 'properties') : undefined
  const entries = isTable(properties) ? Object.entries(properties) : []
  const given = entries.map(([key, it]): [string, unknown] => [key, isTable(it) ? own(it, 'default') : undefined])
  return structuredClone(Object.fromEntries(given.filter(([, value]) => value !== undefined)))
}

/**
 * Checks a table against a schema without compiling it, which takes 10 ms the first time. Returns the table with the
 * schema's defaults; undefined where it does not fit, or the schema needs ajv.
 */
export function readSimply(schema: unknown, table: Table): Table | undefined {
  const bare = withoutDefaults(schema)
  const missing = Object.entries(defaultsOf(schema)).filter(([key]) => !Object.hasOwn(table, key))
  const filled = { ...table, ...Object.fromEntries(missing) }
  return isSimple(bare) && fits(filled, bare) ? filled : undefined
}

/** Whether a schema is one that `readSimply` can read: it compiles. */
export function isSimplyRead(schema: unknown): boolean {
  return isSimple(withoutDefaults(schema))
}

function withoutDefaults(schema: unknown): unknown {
  const properties = isTable(schema) ? own(schema, 'properties') : undefined
  if (!isTable(schema) || !isTable(properties)) return schema
  const entries = Object.entries(properties).map(([key, value]): [string, unknown] => {
    if (!isTable(value)) return [key, value]
    const { default: _, ...others } = value
    return [key, others]
  })
  return { ...schema, properties: Object.fromEntries(entries) }
}

/** What a schema finds wrong with a value, for people. It never holds the value. */
export interface SchemaProblem {
  readonly path: Path
  readonly message: string
  readonly hint?: string | undefined
  /** The key that is missing at `path`. */
  readonly missing?: string
}

/**
 * Converts the errors of a validation (with `verbose`). Keeps only the errors of the intended alternative, where it is
 * clear which one that is.
 */
export function schemaProblemsOf(errors: readonly ErrorObject[], data: unknown): readonly SchemaProblem[] {
  const kept = new Set(errors)
  const alternatives = errors.filter(({ keyword }) => keyword === 'anyOf' || keyword === 'oneOf')
  for (const outer of alternatives.sort((a, b) => a.schemaPath.length - b.schemaPath.length)) {
    if (!kept.has(outer)) continue
    const branches = groupByAlternative(errors, outer)
    const meant = [...branches.values()].filter(branch => !branch.some(error => isElsewhere(error, outer)))
    const [only] = meant
    for (const branch of branches.values())
      if (meant.length !== 1 || branch !== only) for (const error of branch) kept.delete(error)
    if (meant.length === 1) kept.delete(outer)
  }
  return errors.filter(error => kept.has(error) && error.keyword !== 'if').map(error => schemaProblemOf(error, data))
}

/** Groups the errors inside an `anyOf` or `oneOf` by alternative. */
function groupByAlternative(errors: readonly ErrorObject[], outer: ErrorObject): Map<string, ErrorObject[]> {
  const branches = new Map<string, ErrorObject[]>()
  for (const error of errors) {
    if (!error.schemaPath.startsWith(`${outer.schemaPath}/`) || !error.instancePath.startsWith(outer.instancePath))
      continue
    const branch = error.schemaPath.slice(outer.schemaPath.length + 1).split('/', 1)[0] ?? ''
    branches.set(branch, [...(branches.get(branch) ?? []), error])
  }
  return branches
}

/** Whether the error shows that another alternative was meant: another kind of value, or another constant in it. */
function isElsewhere(error: ErrorObject, outer: ErrorObject): boolean {
  const depth = error.instancePath.split('/').length - outer.instancePath.split('/').length
  if (depth === 0) return error.keyword === 'type' || error.keyword === 'const' || error.keyword === 'enum'
  return depth === 1 && error.keyword === 'const'
}

function schemaProblemOf(error: ErrorObject, data: unknown): SchemaProblem {
  const path = pathOf(error, data)
  const hint = hintOf(error)
  const { keyword } = error
  const params: Table = error.params
  if (keyword === 'required') {
    const missing = String(params['missingProperty'])
    return { path: [...path, missing], message: 'missing key', missing, hint: hintOf(error, missing) }
  }
  if (keyword === 'additionalProperties') {
    const key = String(params['additionalProperty'])
    const properties = own(schemaOf(error), 'properties')
    return {
      path: [...path, key],
      message: withSuggestion('unknown key', meantKey(key, isTable(properties) ? Object.keys(properties) : [])),
    }
  }
  return { path, message: messageOf(error), hint }
}

function messageOf(error: ErrorObject): string {
  const params: Table = error.params
  const limit = String(params['limit'])
  switch (error.keyword) {
    case 'type':
      return `must be ${kinds(params['type'])}`
    case 'enum':
      return wordMessage(error, params['allowedValues'])
    case 'const':
      return `must be ${JSON.stringify(params['allowedValue'])}`
    case 'pattern':
      // This pattern only asks for something besides white space.
      return params['pattern'] === '\\S' ? 'must not be empty' : 'does not have the form that is asked for'
    case 'minLength':
      return limit === '1' ? 'must not be empty' : `must have at least ${limit} characters`
    case 'maxLength':
      return `must have at most ${limit} characters`
    case 'minItems':
    case 'minProperties':
      return limit === '1' ? 'must not be empty' : `must have at least ${limit} entries`
    case 'maxItems':
    case 'maxProperties':
      return `must have at most ${limit} entries`
    case 'minimum':
      return `must be ${limit} or more`
    case 'maximum':
      return `must be ${limit} or less`
    case 'exclusiveMinimum':
      return `must be more than ${limit}`
    case 'exclusiveMaximum':
      return `must be less than ${limit}`
    case 'uniqueItems':
      return 'has an entry twice'
    case 'anyOf':
    case 'oneOf':
      return alternativesMessage(error)
    default:
      return error.message ?? 'is not allowed'
  }
}

function wordMessage(error: ErrorObject, allowed: unknown): string {
  const words: readonly unknown[] = Array.isArray(allowed) ? allowed : []
  const texts = words.filter(word => typeof word === 'string')
  const data: unknown = error.data
  const meant = typeof data === 'string' ? closest(data, texts) : undefined
  return withSuggestion(`must be one of ${words.map(word => JSON.stringify(word)).join(', ')}`, meant)
}

function alternativesMessage(error: ErrorObject): string {
  const branches: unknown = own(schemaOf(error), error.keyword)
  const keys = Array.isArray(branches) ? branches.map(branch => (isTable(branch) ? own(branch, 'required') : [])) : []
  if (keys.length > 0 && keys.every(key => Array.isArray(key) && key.length === 1)) return `needs ${keys.join(' or ')}`
  const types = Array.isArray(branches)
    ? branches.map(branch => (isTable(branch) ? own(branch, 'type') : undefined))
    : []
  if (types.length === 0 || types.some(type => type === undefined)) return 'has none of the forms that are allowed'
  return `must be ${[...new Set(types.map(kinds))].join(' or ')}`
}

const words: Readonly<Record<string, string>> = {
  string: 'a string',
  number: 'a number',
  integer: 'a whole number',
  boolean: 'true or false',
  array: 'an array',
  object: 'a table',
}

function kinds(type: unknown): string {
  const types: readonly unknown[] = Array.isArray(type) ? type : [type]
  return types.map(one => words[String(one)] ?? String(one)).join(' or ')
}

/** Returns the description of the option, or of the key that is missing in it. */
function hintOf(error: ErrorObject, missing?: string): string | undefined {
  let schema: unknown = schemaOf(error)
  if (missing !== undefined && isTable(schema)) {
    const properties = own(schema, 'properties')
    schema = isTable(properties) ? own(properties, missing) : undefined
  }
  const description = isTable(schema) ? own(schema, 'description') : undefined
  return typeof description === 'string' ? description : undefined
}

function schemaOf(error: ErrorObject): Table {
  const schema: unknown = error.parentSchema
  return isTable(schema) ? schema : {}
}

/** Converts the JSON pointer of a value to keys and indexes; the data shows which of the two a number is. */
function pathOf(error: ErrorObject, data: unknown): Path {
  let value = data
  return error.instancePath
    .split('/')
    .slice(1)
    .map(part => {
      const key = part.replaceAll('~1', '/').replaceAll('~0', '~')
      const index = Array.isArray(value) ? Number(key) : undefined
      value = Array.isArray(value) ? value[Number(key)] : isTable(value) ? own(value, key) : undefined
      return index ?? key
    })
}
