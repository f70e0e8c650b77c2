import type { ValidateFunction } from 'ajv'
import type { ServiceType } from '../../contract/plugin.ts'
import { LocaldError, messageOf } from '../../errors.ts'
import type { Spot } from '../document/problems.ts'
import { isTable, own, type Table } from '../document/table.ts'
import {
  compilePluginSchema,
  isSimplyRead,
  readSimply,
  type SchemaProblem,
  schemaProblemsOf,
} from '../fields/plugin-schema.ts'
import { meantKey, withSuggestion } from '../fields/suggestions.ts'
import { commonKeyNames } from './service-keys.ts'

/** A service type and its own keys. */
export interface Owner {
  readonly type: ServiceType<unknown>
  readonly keys: readonly string[]
}

/** A service type with its schema, which is compiled when it is first needed. */
export interface Driver extends Owner {
  readonly validate: () => ValidateFunction
}

/** Returns a type with its keys, without compiling its schema. */
export function ownerOf(type: ServiceType<unknown>): Owner {
  return { type, keys: [...keysOf(type.shape.schema)] }
}

const drivers = new WeakMap<ServiceType<unknown>, Driver>()

/**
 * Returns a type with the check of its options, one for all services. Throws SERVICE_TYPE_UNSUPPORTED for a broken schema, or one with a key that every
 * service has.
 */
export function driverOf(type: ServiceType<unknown>): Driver {
  const known = drivers.get(type)
  if (known !== undefined) return known
  const { keys } = ownerOf(type)
  const taken = keys.find(key => commonKeyNames.includes(key))
  if (taken !== undefined)
    throw brokenSchemaError(type, `its plugin declares the key '${taken}', which every service has`)
  try {
    const { schema } = type.shape
    let compiled = isSimplyRead(schema) ? undefined : compilePluginSchema(schema)
    const validate = () => {
      compiled ??= compilePluginSchema(schema)
      return compiled
    }
    const driver = { type, keys, validate }
    drivers.set(type, driver)
    return driver
  } catch (error) {
    throw brokenSchemaError(type, `its plugin's schema is broken: ${messageOf(error)}`)
  }
}

function brokenSchemaError(type: ServiceType<unknown>, reason: string): LocaldError {
  return new LocaldError('SERVICE_TYPE_UNSUPPORTED', `type '${type.type}' is not available: ${reason}`, {
    hint: 'Report this bug to the author of the plugin.',
  })
}

/** Collects the property names of a schema, those of its alternatives included. */
function keysOf(schema: unknown): Set<string> {
  if (!isTable(schema)) return new Set()
  const properties = own(schema, 'properties')
  const keys = new Set(isTable(properties) ? Object.keys(properties) : [])
  for (const keyword of ['allOf', 'anyOf', 'oneOf']) {
    const branches = own(schema, keyword)
    if (Array.isArray(branches)) for (const branch of branches) for (const key of keysOf(branch)) keys.add(key)
  }
  for (const keyword of ['if', 'then', 'else']) for (const key of keysOf(own(schema, keyword))) keys.add(key)
  return keys
}

/** Whether a type has no use for a key that every service may have. */
export function isExcluded({ excludes }: Pick<ServiceType<unknown>, 'excludes'>, key: string): boolean {
  return excludes?.some(each => each === key) === true
}

/** Reads the type's own options from a service's table, with defaults. Returns undefined after noting what is wrong. */
export function readOptions(service: Spot, table: Table, driver: Driver, owners: readonly Owner[]): unknown {
  const own: [string, unknown][] = []
  const meant = new Set<string>()
  const typeless = !Object.hasOwn(table, 'type')
  let wrong = false
  let foreign = false
  for (const [key, value] of Object.entries(table)) {
    if (commonKeyNames.includes(key)) {
      if (isExcluded(driver.type, key))
        service.inside(key, value).wrong(`does not apply to type '${driver.type.type}'`, { hint: 'Remove the key.' })
      continue
    }
    if (driver.keys.includes(key) || isOpen(driver)) {
      own.push([key, value])
      continue
    }
    wrong = true
    const owner = owners.find(({ type, keys }) => type !== driver.type && keys.includes(key))
    const near = meantKey(key, [...driver.keys, ...commonKeyNames])
    if (owner !== undefined) {
      foreign ||= typeless
      const advice = typeless ? `; add type = "${owner.type.type}"` : ''
      service
        .inside(key, value)
        .wrong(`unknown key for type '${driver.type.type}': it belongs to type '${owner.type.type}'${advice}`)
    } else {
      if (near !== undefined) meant.add(near)
      service.inside(key, value).wrong(withSuggestion('unknown key', near))
    }
  }
  const given: Table = structuredClone(Object.fromEntries(own))
  const simple = readSimply(driver.type.shape.schema, given)
  const options: unknown = simple ?? given
  const validate = simple === undefined ? driver.validate() : undefined
  if (validate === undefined || validate(options)) {
    const problems = driver.type.problems?.(options) ?? []
    for (const { key, message, hint } of problems) note(service, { path: [key], message, hint })
    return wrong || problems.length > 0 ? undefined : options
  }
  for (const problem of schemaProblemsOf(validate.errors ?? [], options)) {
    if (!isEcho(problem, meant, foreign)) note(service, problem)
  }
  return undefined
}

/**
 * Whether a problem repeats another: a key is missing because it is misspelt, or because the table is of another type.
 */
function isEcho({ missing, path }: SchemaProblem, meant: ReadonlySet<string>, foreign: boolean): boolean {
  return missing !== undefined && path.length === 1 && (foreign || meant.has(missing))
}

function isOpen({ type }: Driver): boolean {
  const schema: unknown = type.shape.schema
  return isTable(schema) && (own(schema, 'additionalProperties') === true || isTable(own(schema, 'patternProperties')))
}

function note(service: Spot, { path, message, hint }: SchemaProblem): void {
  let spot = service
  for (const part of path) spot = spot.inside(part, undefined)
  spot.wrong(message, { hint })
}
