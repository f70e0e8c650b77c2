import satisfies from 'semver/functions/satisfies.js'
import { LocaldError, type Problem } from './errors.ts'
import { packageOf } from './plugin-settings.ts'
import type { PluginView } from './wire.ts'

/** What is wrong with a plugin that a project needs. `name`: as the project's `[plugins]` has it. */
export interface Lack {
  readonly name: string
  readonly message: string
  readonly hint: string
}

/**
 * Throws PLUGIN_MISSING, for all at once, where a plugin that a project needs is not installed, not of a version in its range, or not
 * active. `needed`: ranges of versions, as npm reads them, by name: `redis` means the package `locald-plugin-redis` unless a plugin is
 * called just so; a scoped or full name is kept.
 */
export function requirePlugins(needed: Readonly<Record<string, string>>, views: readonly PluginView[]): void {
  const lacks = lackOf(needed, views)
  const [first, ...others] = lacks
  if (first === undefined) return
  const problems = lacks.map(({ name, message, hint }): Problem => ({ key: `plugins.${name}`, message, hint }))
  if (others.length === 0) {
    throw new LocaldError('PLUGIN_MISSING', first.message, { hint: first.hint, problems })
  }
  throw new LocaldError('PLUGIN_MISSING', `${lacks.length} plugins that the project needs are missing`, {
    hint: '`locald plugins list` shows what is there.',
    problems,
  })
}

/** What `requirePlugins` would say, one for each plugin, in the project's order. */
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
