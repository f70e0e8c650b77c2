import { packageOf, shortNameOf } from '../config/checks/plugin-name.ts'
import { isOwnTable } from '../config/tables/plugin-tables.ts'
import type { Log } from '../contract/plugin.ts'
import { closest } from '../system/suggest.ts'
import type { FoundPlugin } from './discover.ts'

type SettingsTables = Readonly<Record<string, unknown>>

/** Returns the top-level tables of config.toml that hold options of plugins. */
export function settingsTables(all: readonly FoundPlugin[]): readonly string[] {
  return all.flatMap(({ table }) => (table === undefined || isOwnTable(table) ? [] : [table]))
}

/** What config.toml has for plugins: the tables in `[plugins]`, and those at its top level. */
export interface PluginSettings {
  readonly settings: SettingsTables
  readonly tables?: SettingsTables
}

/**
 * Returns a plugin's options: `[plugins.NAME]`, also by the short name where no other plugin is called so, else its
 * top-level table.
 */
export function settingsFor({ name, table }: FoundPlugin, all: readonly FoundPlugin[], given: PluginSettings): unknown {
  const { settings, tables = {} } = given
  if (Object.hasOwn(settings, name)) return settings[name]
  const short = shortNameOf(name)
  const isShort = short !== undefined && !all.some(other => other.name === short)
  if (isShort && Object.hasOwn(settings, short)) return settings[short]
  return table !== undefined && Object.hasOwn(tables, table) ? tables[table] : undefined
}

/** Warns of tables that belong to no plugin. A string there is a range of versions, not a table of options. */
export function warnOfUnknownTables(all: readonly FoundPlugin[], tables: SettingsTables, log: Log): void {
  const names = all.map(({ name }) => name)
  for (const [key, value] of Object.entries(tables)) {
    if (typeof value !== 'object' || names.includes(key) || names.includes(packageOf(key))) continue
    const near = closest(key, names)
    log.warn(
      `config.toml has [plugins.${key}], and there is no such plugin${near === undefined ? '' : `; did you mean '${near}'?`}`,
    )
  }
}
