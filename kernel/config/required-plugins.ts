import satisfies from 'semver/functions/satisfies.js'
import type { PluginView } from '../protocol.ts'
import { packageOf } from './plugin-name.ts'

/** What is wrong with a plugin that a project needs. `name`: as the project's `[plugins]` has it. */
export interface Lack {
  readonly name: string
  readonly message: string
  readonly hint: string
}

/**
 * The plugins a project needs that are not installed, not of a version in its range, or not active; in the project's order. `needed`:
 * ranges of versions, as npm reads them, by name: `redis` means the package `locald-plugin-redis` unless a plugin is called just so;
 * a scoped or full name is kept.
 */
export function lackOf(needed: Readonly<Record<string, string>>, views: readonly PluginView[]): readonly Lack[] {
  return Object.entries(needed).flatMap(([name, range]) => lackIn(name, range, views) ?? [])
}

function lackIn(name: string, range: string, views: readonly PluginView[]): Lack | undefined {
  const view = [name, packageOf(name)].flatMap(called => views.find(other => other.name === called) ?? [])[0]
  const add = `\`locald plugins add ${name}\``
  if (view === undefined)
    return { name, message: `plugin ${packageOf(name)} is not installed`, hint: `${add} installs it.` }
  const { state, version, reason } = view
  if (state !== 'active') {
    return {
      name,
      message: `plugin ${view.name} is ${state}: ${reason ?? 'no reason is known'}`,
      hint: advice(view, add),
    }
  }
  if (satisfies(version, range)) return undefined
  const message = `plugin ${view.name} is there in version ${version}, and the project needs ${range}`
  const hint =
    view.from === 'npm' ? `${add} installs another.` : 'It comes with locald: install another version of that.'
  return { name, message, hint }
}

function advice({ name, state, code }: PluginView, add: string): string {
  if (state === 'off' && code === undefined) return `Take \`enabled = false\` out of [plugins.${name}] in config.toml.`
  return state === 'broken' ? `${add} may bring a version that works.` : 'The project cannot be run here as it is.'
}
