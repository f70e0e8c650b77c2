import type { Environment, EnvLayer, EnvOrigin } from './environment.ts'
import type { Shell } from './shell.ts'

/** What set a variable: also a plugin. */
export interface VariableSource extends Omit<EnvOrigin, 'layer'> {
  readonly layer: EnvLayer | 'plugin'
  /** The plugin's name; null for another layer. */
  readonly plugin: string | null
}

/** What is known of the plugins that set variables. */
export interface VariableSetters {
  /** The shell itself: of its layer, what it does not set is a fallback of a plugin. */
  readonly shell: Shell
  /** Plugins with a variable of their own, by its name. */
  readonly owners: ReadonlyMap<string, string>
  /** Plugins whose `env` hook set a variable, by its name. */
  readonly hooks: ReadonlyMap<string, string>
}

/** Finds what set each variable of an environment, the strongest first, then what that overrides. */
export async function sourcesOf(
  { origins }: Pick<Environment, 'origins'>,
  { shell, owners, hooks }: VariableSetters,
): Promise<ReadonlyMap<string, readonly VariableSource[]>> {
  const sources = new Map<string, readonly VariableSource[]>()
  for (const [name, chain] of await origins()) {
    sources.set(
      name,
      chain.map(origin => {
        const isOfPlugin = origin.layer === 'locald' || (origin.layer === 'shell' && !Object.hasOwn(shell, name))
        const owner = isOfPlugin ? owners.get(name) : undefined
        return owner === undefined ? { ...origin, plugin: null } : ofPlugin(owner)
      }),
    )
  }
  for (const [name, plugin] of hooks) {
    const under = sources.get(name) ?? []
    if (under[0]?.plugin !== plugin) sources.set(name, [ofPlugin(plugin), ...under])
  }
  return sources
}

function ofPlugin(plugin: string): VariableSource {
  return { layer: 'plugin', plugin, file: null, line: null }
}
