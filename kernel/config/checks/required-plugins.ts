import satisfies from 'semver/functions/satisfies.js'
import type { PluginView } from '../../protocol.ts'
import { packageOf } from './plugin-name.ts'

/** Why a plugin that a project needs cannot be used. `name`: as the project's `[plugins]` has it. */
export interface MissingPlugin {
  readonly name: string
  readonly message: string
  readonly hint: string
}

/**
 * Finds the plugins a project needs that are not installed, not active, or not of a version in its range; in the
 * project's order.
 *
 * @param needed ranges of versions, as npm reads them, by name: `redis` means the package `locald-plugin-redis` unless
 * a plugin has that
 * very name; a scoped or full name is kept
 */
export function findMissingPlugins(
  needed: Readonly<Record<string, string>>,
  views: readonly PluginView[],
): readonly MissingPlugin[] {
  return Object.entries(needed).flatMap(([name, range]) => missingPlugin(name, range, views) ?? [])
}

function missingPlugin(name: string, range: string, views: readonly PluginView[]): MissingPlugin | undefined {
  const view = [name, packageOf(name)].flatMap(called => views.find(other => other.name === called) ?? [])[0]
  const add = `\`locald plugins add ${name}\``
  if (view === undefined) return { name, message: `plugin ${packageOf(name)} is not installed`, hint: `Run ${add}.` }
  const { state, version, reason } = view
  if (state !== 'active') {
    return {
      name,
      message: `plugin ${view.name} is ${state}: ${reason ?? 'unknown reason'}`,
      hint: advice(view, add),
    }
  }
  if (satisfies(version, range)) return undefined
  const message = `plugin ${view.name} has version ${version}, and the project needs ${range}`
  const hint =
    view.from === 'npm'
      ? `Run ${add} to install another version.`
      : 'Install another version of locald, which includes it.'
  return { name, message, hint }
}

function advice({ name, state, code }: PluginView, add: string): string {
  if (state === 'off' && code === undefined) return `Remove \`enabled = false\` from [plugins.${name}] in config.toml.`
  return state === 'broken'
    ? `Run ${add} to try another version.`
    : 'Run the project on another machine, or remove the plugin from [plugins].'
}
