import { Ajv, type AnySchema } from 'ajv'
import type { Container } from './container.ts'
import { type Contributions, emptyDraft } from './contributions.ts'
import type { Found } from './discover.ts'
import { LocaldError, messageOf } from './errors.ts'
import type { Features } from './features.ts'
import { type HookRuns, makeHooks } from './hooks.ts'
import { within } from './limits.ts'
import type { Folders, Host, Log, PlatformFacts, Plugin } from './plugin.ts'
import { Teardown } from './teardown.ts'
import type { PluginView } from './wire.ts'

/** Limits of a plugin's import and of its set-up, ms. */
export interface LoadLimits {
  readonly importMs: number
  readonly setupMs: number
}

/** What loading needs of the kernel. `settings` are the `[plugins.<name>]` tables of locald's own config. */
export interface LoadInput {
  readonly facts: PlatformFacts
  readonly folders: Folders
  readonly settings: Readonly<Record<string, unknown>>
  readonly features: Features
  readonly contributions: Contributions
  readonly container: Container
  readonly hooks: HookRuns
  readonly teardown: Teardown
  readonly log: (owner: string) => Log
  readonly limits?: LoadLimits
}

interface Candidate {
  readonly found: Found
  readonly plugin: Plugin
  readonly options: unknown
}

const defaultLimits: LoadLimits = { importMs: 5000, setupMs: 5000 }

/**
 * Loads plugins: checks before code (api, platform, enabled), import, order by `after`, then each one's set-up with a limit.
 * A plugin whose set-up fails leaves nothing behind. Never throws: every plugin ends in the list, with the reason.
 */
export async function loadPlugins(found: readonly Found[], input: LoadInput): Promise<readonly PluginView[]> {
  const views = new Map<string, PluginView>()
  const candidates: Candidate[] = []
  for (const entry of found) {
    if (views.has(entry.name) || candidates.some(({ plugin }) => plugin.name === entry.name)) continue
    const result = await candidateOf(entry, input).catch((error: unknown) => broken(messageOf(error)))
    if ('plugin' in result) candidates.push(result)
    else views.set(entry.name, unavailable(entry, result, input))
  }
  let waiting = inOrder(candidates)
  for (let progress = true; progress && waiting.length > 0; ) {
    progress = false
    const later: Candidate[] = []
    for (const candidate of waiting) {
      if (missingNeeds(candidate, input).length > 0) {
        later.push(candidate)
        continue
      }
      progress = true
      views.set(candidate.found.name, await setUp(candidate, input))
    }
    waiting = later
  }
  for (const candidate of waiting) {
    const reason = `needs '${missingNeeds(candidate, input).join("', '")}', which no plugin provides`
    views.set(candidate.found.name, unavailable(candidate.found, off(reason), input))
  }
  return found.flatMap(entry => views.get(entry.name) ?? []).filter((view, index, all) => all.indexOf(view) === index)
}

interface Refusal {
  readonly state: 'off' | 'broken'
  readonly reason: string
}

function off(reason: string): Refusal {
  return { state: 'off', reason }
}

function broken(reason: string): Refusal {
  return { state: 'broken', reason }
}

/** The checks that need no code of the plugin, then its import and the checks of what it exports. */
async function candidateOf(found: Found, input: LoadInput): Promise<Candidate | Refusal> {
  if (found.broken !== undefined) return broken(found.broken)
  const settings = settingsOf(input.settings[found.name])
  if (settings['enabled'] === false) return off('turned off in config.toml')
  const platform = unfit(found.platforms, input.facts)
  if (platform !== undefined) return off(platform)
  const limits = input.limits ?? defaultLimits
  const module = await within(
    limits.importMs,
    found.load(),
    () =>
      new LocaldError('PLUGIN_TIMEOUT', `it could not be imported in ${limits.importMs} ms`, { plugin: found.name }),
  )
  const plugin = pluginOf(module)
  if (plugin === undefined) return broken('its default export is not a plugin: { name, api, setup }')
  if (plugin.api !== 1) return broken(`it is for plugin api ${String(plugin.api)}; this locald has api 1`)
  const late = unfit(plugin.platforms, input.facts)
  if (late !== undefined) return off(late)
  const { enabled: _, ...own } = settings
  return { found, plugin, options: validOptions(plugin, own) }
}

function unfit(platforms: readonly NodeJS.Platform[] | undefined, facts: PlatformFacts): string | undefined {
  if (platforms === undefined || platforms.includes(facts.os)) return undefined
  return `it is for ${platforms.join(' and ')}; this is ${facts.os}`
}

function settingsOf(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : {}
}

/** By shape, never by class: a plugin may come with its own copy of the contract. */
function pluginOf(module: unknown): Plugin | undefined {
  if (typeof module !== 'object' || module === null || !('default' in module)) return undefined
  const { default: it } = module
  return isPlugin(it) ? it : undefined
}

function isPlugin(it: unknown): it is Plugin {
  if (typeof it !== 'object' || it === null) return false
  return 'name' in it && typeof it.name === 'string' && 'api' in it && 'setup' in it && typeof it.setup === 'function'
}

function validOptions(plugin: Plugin, settings: Record<string, unknown>): unknown {
  if (plugin.options === undefined) return settings
  const ajv = new Ajv({ allErrors: true, useDefaults: true, strict: false })
  const schema: AnySchema = JSON.parse(JSON.stringify(plugin.options.schema))
  const validate = ajv.compile(schema)
  if (validate(settings)) return settings
  throw new LocaldError(
    'PLUGIN_SETUP',
    `its options in config.toml are wrong: ${ajv.errorsText(validate.errors, { dataVar: 'options' })}`,
  )
}

function missingNeeds({ plugin }: Candidate, { container }: LoadInput): readonly string[] {
  return (plugin.needs ?? []).filter(name => !container.has(name))
}

/** Stable topological order by `after`; names that are absent, and cycles, do not matter. */
function inOrder(candidates: readonly Candidate[]): Candidate[] {
  const result: Candidate[] = []
  const seen = new Set<string>()
  const visit = (candidate: Candidate) => {
    if (seen.has(candidate.plugin.name)) return
    seen.add(candidate.plugin.name)
    for (const name of candidate.plugin.after ?? []) {
      const before = candidates.find(({ plugin }) => plugin.name === name)
      if (before !== undefined) visit(before)
    }
    result.push(candidate)
  }
  for (const candidate of candidates) visit(candidate)
  return result
}

/** Runs `setup` against a draft; all of it is taken over at the end, or none. */
async function setUp(candidate: Candidate, input: LoadInput): Promise<PluginView> {
  const { found, plugin } = candidate
  const draft = emptyDraft()
  const hooks = makeHooks()
  const provisions: Provision[] = []
  const restoreFeatures = input.features.snapshot()
  const started = performance.now()
  const limit = (input.limits ?? defaultLimits).setupMs
  const gate = { open: true }
  try {
    const host = hostOf(candidate, input, { draft, hooks, provisions, gate })
    await within(
      limit,
      (async () => plugin.setup(host))(),
      () => new LocaldError('PLUGIN_TIMEOUT', `its set-up did not end in ${limit} ms`, { plugin: found.name }),
    )
    gate.open = false
    for (const { check } of provisions) check()
    input.contributions.commit(found.name, draft)
    for (const { provide } of provisions) provide()
    for (const close of draft.closers) input.teardown.add(found.name, close)
    input.hooks.add(found.name, hooks)
  } catch (error) {
    gate.open = false
    restoreFeatures()
    const undo = new Teardown(1000)
    for (const close of draft.closers) undo.add(found.name, close)
    await undo.run((owner, reason) => input.log(owner).warn(`closing after a failed set-up: ${reason}`))
    const refusal = broken(LocaldError.is(error) ? error.message : `its set-up failed: ${messageOf(error)}`)
    return unavailable(found, refusal, input, performance.now() - started)
  }
  return view(found, 'active', null, input, performance.now() - started)
}

interface Provision {
  readonly check: () => void
  readonly provide: () => void
}

interface Staging {
  readonly draft: ReturnType<typeof emptyDraft>
  readonly hooks: Host['hooks']
  readonly provisions: Provision[]
  readonly gate: { open: boolean }
}

/** The host of one plugin. After its set-up has ended, declarations are refused. */
function hostOf({ found, options }: Candidate, input: LoadInput, { draft, hooks, provisions, gate }: Staging): Host {
  const declare = (add: () => void) => {
    if (!gate.open) throw new LocaldError('PLUGIN_SETUP', 'declarations belong into setup()', { plugin: found.name })
    add()
  }
  return {
    options,
    hooks,
    platform: input.facts,
    folders: input.folders,
    log: input.log(found.name),
    use: input.container.use,
    service: type => declare(() => draft.types.push(type)),
    source: source => declare(() => draft.sources.push(source)),
    feature: (name, state) => declare(() => input.features.set(name, state, found.name)),
    has: name => input.features.has(name),
    check: check => declare(() => draft.checks.push(check)),
    command: command => declare(() => draft.commands.push(command)),
    routes: (prefix, plugin) => declare(() => draft.routes.push({ prefix, plugin })),
    provide: (name, make, close) =>
      declare(() =>
        provisions.push({
          check: () => input.container.refuseTwice(found.name, name),
          provide: () => input.container.provide(found.name, name, make, close),
        }),
      ),
    onClose: close => declare(() => draft.closers.push(close)),
  }
}

function unavailable(found: Found, { state, reason }: Refusal, input: LoadInput, ms?: number): PluginView {
  input.contributions.markUnavailable(
    found.name,
    found.types,
    `plugin ${found.name} is ${state}: ${reason}`,
    '`locald plugins list` shows all plugins and their state.',
  )
  if (state === 'broken') input.log(found.name).warn(`broken: ${reason}`)
  return view(found, state, reason, input, ms)
}

function view(
  found: Found,
  state: PluginView['state'],
  reason: string | null,
  input: LoadInput,
  ms?: number,
): PluginView {
  const own = input.contributions.of(found.name)
  return {
    name: found.name,
    version: found.version,
    from: found.from,
    state,
    reason,
    types: state === 'active' ? own.types : found.types,
    features: input.features.by(found.name),
    commands: own.commands,
    setupMs: ms === undefined ? null : Math.round(ms * 10) / 10,
  }
}
