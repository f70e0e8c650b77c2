/** A JSON schema, or a part of one. */
type Schema = Readonly<Record<string, unknown>>

/** Whether a value fits what a keyword of a schema says. */
type Check = (value: unknown, argument: unknown, schema: Schema) => boolean

/** The keywords that requests use, with the meaning that ajv gives them. */
const checks: Readonly<Record<string, Check>> = {
  description: () => true,
  type: (value, kinds) => [kinds].flat().some(kind => isOfType(value, kind)),
  enum: (value, values) => Array.isArray(values) && values.includes(value),
  pattern: (value, pattern) => typeof value !== 'string' || new RegExp(String(pattern), 'u').test(value),
  minLength: (value, least) => typeof value !== 'string' || lengthOf(value) >= Number(least),
  maxLength: (value, most) =>
    typeof value !== 'string' || value.length <= Number(most) || lengthOf(value) <= Number(most),
  minimum: (value, least) => typeof value !== 'number' || value >= Number(least),
  exclusiveMinimum: (value, limit) => typeof value !== 'number' || value > Number(limit),
  maximum: (value, most) => typeof value !== 'number' || value <= Number(most),
  minItems: (value, least) => !Array.isArray(value) || value.length >= Number(least),
  maxItems: (value, most) => !Array.isArray(value) || value.length <= Number(most),
  items: (value, inner) => !Array.isArray(value) || value.every(element => fits(element, inner)),
  required: (value, keys) =>
    !isObject(value) || (Array.isArray(keys) && keys.every(key => Object.hasOwn(value, String(key)))),
  properties: (value, inner) =>
    !isObject(value) ||
    Object.entries(toObject(inner)).every(([key, schema]) => !Object.hasOwn(value, key) || fits(value[key], schema)),
  additionalProperties: (value, inner, { properties }) =>
    !isObject(value) ||
    Object.entries(value).every(([key, entry]) => Object.hasOwn(toObject(properties), key) || fits(entry, inner)),
  not: (value, inner) => !fits(value, inner),
  anyOf: (value, inner) => toList(inner).some(schema => fits(value, schema)),
  oneOf: (value, inner) => toList(inner).filter(schema => fits(value, schema)).length === 1,
}

/**
 * Whether a schema has only keywords that `fits` knows. Others are for ajv, `default` among them, as it changes the
 * value.
 */
export function isSimple(schema: unknown): boolean {
  if (typeof schema === 'boolean') return true
  if (!isObject(schema)) return false
  return Object.entries(schema).every(([keyword, argument]) => {
    if (keyword === 'properties') return Object.values(toObject(argument)).every(isSimple)
    if (keyword === 'anyOf' || keyword === 'oneOf') return toList(argument).every(isSimple)
    if (keyword === 'items' || keyword === 'additionalProperties' || keyword === 'not') return isSimple(argument)
    return Object.hasOwn(checks, keyword) && isUsable(keyword, argument)
  })
}

const types: readonly unknown[] = ['null', 'array', 'object', 'integer', 'number', 'string', 'boolean']
const lists: readonly string[] = ['enum', 'required']
const texts: readonly string[] = ['description', 'pattern']

/** Whether ajv can compile a keyword with this argument. */
function isUsable(keyword: string, argument: unknown): boolean {
  if (keyword === 'type') return [argument].flat().every(type => types.includes(type))
  if (lists.includes(keyword)) return Array.isArray(argument)
  if (!texts.includes(keyword)) return typeof argument === 'number'
  return typeof argument === 'string' && (keyword !== 'pattern' || isPattern(argument))
}

function isPattern(text: string): boolean {
  try {
    new RegExp(text, 'u')
    return true
  } catch {
    return false
  }
}

/** Whether a value fits a simple schema. Interprets it: the first use of ajv takes longer than most requests. */
export function fits(value: unknown, schema: unknown): boolean {
  if (!isObject(schema)) return schema === true
  return Object.entries(schema).every(([keyword, argument]) => checks[keyword]?.(value, argument, schema) === true)
}

function isOfType(value: unknown, type: unknown): boolean {
  if (type === 'null') return value === null
  if (type === 'array') return Array.isArray(value)
  if (type === 'object') return isObject(value)
  if (type === 'integer') return Number.isInteger(value)
  return type === 'number' ? Number.isFinite(value) : typeof value === type
}

function isObject(value: unknown): value is Schema {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function toObject(value: unknown): Schema {
  return isObject(value) ? value : {}
}

function toList(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}

/** Returns the number of characters, of which some are two code units. */
function lengthOf(text: string): number {
  return [...text].length
}
