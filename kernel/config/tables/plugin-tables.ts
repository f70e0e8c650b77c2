import type { ValidateFunction } from 'ajv'
import type { PluginTable } from '../../contract/plugin.ts'
import { messageOf } from '../../errors.ts'
import type { Role } from '../document/document.ts'
import { type Problems, Spot } from '../document/problems.ts'
import { isTable, own, type Table } from '../document/table.ts'
import { compilePluginSchema, schemaProblemsOf } from '../fields/plugin-schema.ts'
import { meantKey, withSuggestion } from '../fields/suggestions.ts'

/** The top-level tables that plugins own. */
export interface PluginTables {
  /** Names of the tables of `config.toml` that hold options of plugins. */
  readonly settings?: readonly string[]
  /** The tables of projects. */
  readonly project?: readonly PluginTable[]
}

const layerTables = ['project', 'env', 'services', 'plugins']
const projectTables = [...layerTables, 'routes', 'projects']

/** Returns whether a top-level table belongs to locald itself. */
export function isOwnTable(name: string): boolean {
  return projectTables.includes(name)
}

/** Returns the top-level tables that a file of a role may have. */
export function tablesOf(role: Role, { settings = [], project = [] }: PluginTables): readonly string[] {
  if (role === 'settings') return [...layerTables, ...settings]
  const ofPlugins = project.filter(({ inherited }) => role === 'project' || role === 'source' || inherited === true)
  const ofLocald = role === 'project' || role === 'source' ? projectTables : layerTables
  return [...ofLocald, ...ofPlugins.map(({ name }) => name)]
}

/** Returns why a table must not be in a file of a role. */
export function unknownTableMessage(key: string, role: Role, tables: PluginTables): string {
  if (role !== 'project' && tablesOf('project', tables).includes(key)) return "belongs in the project's own locald.toml"
  if (role !== 'settings' && tablesOf('settings', tables).includes(key)) return "belongs in locald's own config.toml"
  return withSuggestion('unknown key', meantKey(key, tablesOf(role, tables)))
}

/** Reads the tables of plugins from a merged configuration; those that are absent are left out. */
export function readPluginTables(
  merged: Table,
  { project = [] }: PluginTables,
  problems: Problems,
): Readonly<Record<string, unknown>> {
  const read = project.flatMap(({ name, shape }): [string, unknown][] => {
    const value = own(merged, name)
    if (!isTable(value)) return []
    const spot = new Spot(problems, [name], value)
    const validate = checkOf(shape.schema)
    if (typeof validate === 'string') {
      spot.wrong(`its plugin's schema is broken: ${validate}`)
      return []
    }
    const data: unknown = structuredClone(value)
    if (validate(data)) return [[name, data]]
    for (const { path, message, hint } of schemaProblemsOf(validate.errors ?? [], data))
      path.reduce((at, key) => at.inside(key, undefined), spot).wrong(message, { hint })
    return []
  })
  return Object.fromEntries(read)
}

/** Compiles a schema; a text says why that fails. */
function checkOf(schema: unknown): ValidateFunction | string {
  try {
    return compilePluginSchema(schema)
  } catch (error) {
    return messageOf(error)
  }
}
