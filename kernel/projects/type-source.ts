import type { TypeSource } from '../config/load.ts'
import type { Contributions } from '../plugins/contributions.ts'
import type { PluginView } from '../protocol.ts'

/** What the configuration of projects is checked against. */
export interface TypeParts {
  readonly contributions: Contributions
  /** The loaded plugins: a project may require some. */
  readonly plugins: () => readonly PluginView[]
  /** Top-level tables of config.toml that hold options of plugins. */
  readonly settingsTables: readonly string[]
}

/** Returns what plugins registered, in the form that the configuration reads. */
export function typeSource({ contributions, plugins, settingsTables }: TypeParts): TypeSource {
  return {
    plugins: plugins(),
    find: type => contributions.findType(type),
    names: contributions.typeNames(),
    defaultType: contributions.defaultType,
    sources: contributions.sources(),
    reserved: contributions.reservedHosts(),
    tables: { settings: settingsTables, project: contributions.tables() },
  }
}
