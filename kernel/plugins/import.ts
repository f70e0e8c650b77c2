import type { ValidateFunction } from 'ajv'
import { dotted } from '../config/document/table.ts'
import { compilePluginSchema, defaultsOf, schemaProblemsOf } from '../config/fields/plugin-schema.ts'
import { type PlatformFacts, type Plugin, pluginApi } from '../contract/plugin.ts'
import { LocaldError, messageOf } from '../errors.ts'
import { withTimeout } from '../system/async.ts'
import { type FoundPlugin, formatApiMismatch } from './discover.ts'
import { withExitGuard } from './exit-guard.ts'

/** A plugin that is ready for setup: its module was read once, and its options are valid. */
export interface Candidate {
  readonly found: FoundPlugin
  readonly name: string
  readonly after: readonly string[]
  readonly needs: readonly string[]
  readonly options: unknown
  readonly setup: Plugin['setup']
}

/** What decides whether a plugin is set up. `settings`: its table of config.toml. */
export interface CandidateInput {
  readonly facts: PlatformFacts
  readonly settings: unknown
  readonly importMs: number
  /** Called before any of its code runs. */
  importing(): void
}

/** Stands for a plugin that its settings disable. That is no error and has no code. */
export const disabled = Symbol('turned off')

/**
 * Runs the checks that need no code of the plugin, then its import, and the checks of what it exports. Throws
 * PLUGIN_API, PLUGIN_PLATFORM, PLUGIN_IMPORT, PLUGIN_TIMEOUT, or PLUGIN_SETUP for wrong options.
 */
export async function importCandidate(found: FoundPlugin, input: CandidateInput): Promise<Candidate | typeof disabled> {
  const { enabled = true, ...settings } = settingsOf(input.settings)
  if (enabled === false) return disabled
  if (enabled !== true) throw refusal('PLUGIN_SETUP', "'enabled' in config.toml must be true or false")
  if (found.broken !== undefined) throw found.broken
  requirePlatform(found.platforms, input.facts)
  input.importing()
  const plugin = pluginOf(await importModule(found, input.importMs))
  if (plugin.api !== pluginApi) throw refusal('PLUGIN_API', formatApiMismatch(plugin.api))
  if (plugin.name !== found.name) {
    throw refusal('PLUGIN_API', `plugin name '${plugin.name}' does not match its package name`)
  }
  requirePlatform(names(plugin, 'platforms'), input.facts)
  return {
    found,
    name: found.name,
    after: names(plugin, 'after') ?? [],
    needs: names(plugin, 'needs') ?? [],
    options: validateOptions(plugin, settings, found.from),
    setup: host => plugin.setup(host),
  }
}

/** Imports its module. Within one process there is no way to stop code that never returns: it blocks the daemon. */
async function importModule(found: FoundPlugin, limit: number): Promise<unknown> {
  const late = () => refusal('PLUGIN_TIMEOUT', `import timed out after ${limit / 1000} s`)
  try {
    const load = () => found.load()
    return await withTimeout(limit, found.from === 'npm' ? withExitGuard(load) : load(), late)
  } catch (error) {
    if (LocaldError.is(error) && error.code === 'PLUGIN_TIMEOUT') throw error
    throw new LocaldError('PLUGIN_IMPORT', `import failed: ${messageOf(error)}`, { cause: error })
  }
}

function requirePlatform(platforms: readonly string[] | undefined, { os }: PlatformFacts): void {
  if (platforms === undefined || platforms.includes(os)) return
  throw refusal('PLUGIN_PLATFORM', `supports ${platforms.join(' and ') || 'no platform'}, not ${os}`)
}

/** Ranges of versions in `[plugins]` of config.toml are no settings of plugins. */
function settingsOf(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : {}
}

/**
 * Finds the plugin by its shape, never by class: it may come with its own copy of the contract. CommonJS made from
 * TypeScript has two defaults.
 */
function pluginOf(module: unknown): Plugin {
  const first = defaultOf(module)
  const plugin = [first, defaultOf(first)].find(isPlugin)
  if (plugin !== undefined) return plugin
  throw refusal('PLUGIN_API', 'its default export is not a plugin: { name, api, setup }')
}

function defaultOf(module: unknown): unknown {
  return typeof module === 'object' && module !== null && 'default' in module ? module.default : undefined
}

function isPlugin(it: unknown): it is Plugin {
  if (typeof it !== 'object' || it === null) return false
  return 'name' in it && typeof it.name === 'string' && 'api' in it && 'setup' in it && typeof it.setup === 'function'
}

function names(plugin: Plugin, key: 'after' | 'needs' | 'platforms'): readonly string[] | undefined {
  const value: unknown = plugin[key]
  if (value === undefined) return undefined
  if (Array.isArray(value) && value.every(item => typeof item === 'string')) return [...value]
  throw refusal('PLUGIN_API', `its '${key}' must be a list of names`)
}

function validateOptions(plugin: Plugin, settings: Record<string, unknown>, from: FoundPlugin['from']): unknown {
  const given = Object.keys(settings)
  if (plugin.options === undefined) {
    if (given.length === 0) return {}
    throw refusal('PLUGIN_SETUP', `takes no options, but config.toml sets '${given.join("', '")}'`)
  }
  // Compiling the schemas of built-in plugins would be a tenth of the daemon's start; a test compiles them.
  if (from === 'built-in' && given.length === 0) return defaultsOf(plugin.options.schema)
  const validate = schemaOf(plugin.options.schema)
  if (validate(settings)) return settings
  const problems = schemaProblemsOf(validate.errors ?? [], settings)
  const faults = problems.map(({ path, message }) => `${dotted(path)}: ${message}`)
  throw refusal('PLUGIN_SETUP', `invalid options in config.toml: ${faults.join('; ')}`)
}

function schemaOf(schema: unknown): ValidateFunction {
  try {
    return compilePluginSchema(schema)
  } catch (error) {
    throw refusal('PLUGIN_SETUP', `the schema of its options is broken: ${messageOf(error)}`)
  }
}

function refusal(
  code: 'PLUGIN_API' | 'PLUGIN_PLATFORM' | 'PLUGIN_TIMEOUT' | 'PLUGIN_SETUP',
  reason: string,
): LocaldError {
  return new LocaldError(code, reason)
}
