import type { ServicePlan, ServiceType } from '../../contract/plugin.ts'
import { LocaldError } from '../../errors.ts'
import type { Spot } from '../document/problems.ts'
import { isTable, kindOf, own, type Table } from '../document/table.ts'
import { readKey } from '../fields/keys.ts'
import { isLabel, labelOf, labelRule } from '../names.ts'
import { readCommon, typeKey } from './service-keys.ts'
import { type Driver, driverOf, type Owner, ownerOf, readOptions } from './type-options.ts'

/** The service types that plugins registered. */
export interface Types {
  /** Returns the driver, or the SERVICE_TYPE_UNSUPPORTED that says why there is none. */
  find(type: string): ServiceType<unknown> | LocaldError
  readonly defaultType: string
  readonly names: readonly string[]
}

/** A service as read: its plan, and its table and driver for checks across services. */
export interface ReadService {
  readonly plan: ServicePlan
  readonly table: Table
  /** Undefined where the type is not available, which was noted. */
  readonly driver: ServiceType<unknown> | undefined
}

/** Returns the types with their keys, for messages about keys of another type. */
export function ownersOf(types: Types): readonly Owner[] {
  return types.names.map(name => types.find(name)).flatMap(found => (LocaldError.is(found) ? [] : ownerOf(found)))
}

function driverFor(types: Types, name: string): Driver | LocaldError {
  try {
    const found = types.find(name)
    return LocaldError.is(found) ? found : driverOf(found)
  } catch (error) {
    if (LocaldError.is(error) && error.code === 'SERVICE_TYPE_UNSUPPORTED') return error
    throw error
  }
}

/** Reads one table of `[services]` and notes what is wrong. Returns undefined for a value that is not a table. */
export function readService(spot: Spot, name: string, types: Types, owners: readonly Owner[]): ReadService | undefined {
  if (!isLabel(name)) spot.wrong(`a service's name ${labelRule}`, { hint: `Use a name such as ${labelOf(name)}.` })
  const { value: table } = spot
  if (!isTable(table)) return spot.wrong(`must be a table, not ${kindOf(table)}`)
  const type = readType(spot, table, types.defaultType)
  const common = readCommon(spot, table)
  if (type === undefined) return { plan: { name, type: '', common, options: {} }, table, driver: undefined }
  const driver = driverFor(types, type)
  if (LocaldError.is(driver)) {
    spot.inside('type', type).wrong(driver.message, { code: 'SERVICE_TYPE_UNSUPPORTED', hint: driver.hint })
    return { plan: { name, type, common, options: {} }, table, driver: undefined }
  }
  const options = readOptions(spot, table, driver, owners)
  return { plan: { name, type, common, options }, table, driver: driver.type }
}

/** Reads the type; most tables have none, and get the plugins' default. */
function readType(service: Spot, table: Table, defaultType: string): string | undefined {
  return own(table, typeKey.key) === undefined ? defaultType : readKey(service, table, typeKey)
}
