import { packageOf, shortNameOf } from '../config/plugin-name.ts'
import type { Log } from '../contract/plugin.ts'
import { closest } from '../system/suggest.ts'
import type { Found } from './discover.ts'

type SettingsTables = Readonly<Record<string, unknown>>

/** The table of a plugin in locald's own config: under its name, or its short one where no other plugin is called so. */
export function settingsFor({ name }: Found, all: readonly Found[], tables: SettingsTables): unknown {
  if (Object.hasOwn(tables, name)) return tables[name]
  const short = shortNameOf(name)
  if (short === undefined || all.some(other => other.name === short)) return undefined
  return Object.hasOwn(tables, short) ? tables[short] : undefined
}

/** Tells of tables that belong to no plugin. A text there is no table of options but a range of versions. */
export function warnOfStrangers(all: readonly Found[], tables: SettingsTables, log: Log): void {
  const names = all.map(({ name }) => name)
  for (const [key, value] of Object.entries(tables)) {
    if (typeof value !== 'object' || names.includes(key) || names.includes(packageOf(key))) continue
    const near = closest(key, names)
    log.warn(
      `config.toml has [plugins.${key}], and there is no such plugin${near === undefined ? '' : `; did you mean '${near}'?`}`,
    )
  }
}
