import { type ErrorCode, LocaldError, messageOf } from '../errors.ts'
import type { PluginView } from '../protocol.ts'
import { withTimeout } from '../system/async.ts'
import type { FoundPlugin } from './discover.ts'
import { withExitGuard } from './exit-guard.ts'
import type { HookRuns } from './hooks.ts'
import { type Declaring, type HostInput, hostOf } from './host.ts'
import { type Candidate, disabled, importCandidate } from './import.ts'
import { type PluginSettings, settingsFor, warnOfUnknownTables } from './settings.ts'
import { Teardown } from './teardown.ts'

/** Time limits for the import of an npm plugin and for its setup, ms. */
export interface LoadLimits {
  readonly importMs: number
  readonly setupMs: number
}

/** What loading needs of the kernel. */
export interface LoadInput extends HostInput, PluginSettings {
  readonly hooks: HookRuns
  readonly teardown: Teardown
  readonly limits?: LoadLimits
}

/** Plugins that hang must leave the daemon time to listen before the command that starts it gives up. */
const defaultLimits: LoadLimits = { importMs: 4000, setupMs: 3000 }
/** Built-in plugins are not expected to hang, but a busy machine may be slow: ms. */
const ownLimits: LoadLimits = { importMs: 10_000, setupMs: 10_000 }
/** Time limit for a closer of a plugin whose setup failed, ms. */
const undoMs = 1000

/**
 * Loads plugins: checks before any code runs (enabled, api, platform), import, then each setup with a time limit, in
 * the order of `after` and `needs`. A plugin whose setup fails leaves nothing behind. Never throws: the result has
 * every plugin, with the reason. Imports run side by side, npm plugins after built-in ones, so that several that hang
 * cost no more time than one.
 */
export async function loadPlugins(found: readonly FoundPlugin[], input: LoadInput): Promise<readonly PluginView[]> {
  const views = new Map<FoundPlugin, PluginView>()
  const candidates = new Map<FoundPlugin, Candidate>()
  const load = async (entry: FoundPlugin) => {
    const result = await prepareCandidate(entry, found, input)
    if ('setup' in result) candidates.set(entry, result)
    else views.set(entry, result)
  }
  for (const origin of ['built-in', 'npm']) await Promise.all(found.filter(({ from }) => from === origin).map(load))
  const inOrder = found.flatMap(entry => candidates.get(entry) ?? [])
  const { container } = input
  const waiting = await setUpInOrder(
    inOrder,
    name => container.has(name),
    async candidate => {
      const { setupMs } = limitsFor(candidate.found, input)
      views.set(candidate.found, await setUp(candidate, input, setupMs / 2 ** Math.min(3, countTimeouts(views))))
    },
  )
  for (const { found: entry, needs } of waiting) {
    const missing = needs.filter(name => !container.has(name))
    const error = new LocaldError('PLUGIN_NEEDS', `requires '${missing.join("', '")}', which no plugin provides`)
    views.set(entry, unusable(entry, error, input))
  }
  warnOfUnknownTables(found, input.settings, input.log('kernel'))
  return found.flatMap(entry => views.get(entry) ?? [])
}

function limitsFor({ from }: FoundPlugin, { limits = defaultLimits }: LoadInput): LoadLimits {
  return from === 'npm' ? limits : ownLimits
}

/**
 * Counts the setups that timed out: after each the next one gets half the time, down to an eighth, so that many do not
 * add up.
 */
function countTimeouts(views: ReadonlyMap<FoundPlugin, PluginView>): number {
  return [...views.values()].filter(({ code, setupMs }) => code === 'PLUGIN_TIMEOUT' && setupMs !== null).length
}

/** Returns a candidate, or the view of a plugin that is off or broken. */
async function prepareCandidate(
  entry: FoundPlugin,
  all: readonly FoundPlugin[],
  input: LoadInput,
): Promise<Candidate | PluginView> {
  const { facts } = input
  const { importMs } = limitsFor(entry, input)
  const settings = settingsFor(entry, all, input)
  try {
    if (all.find(({ name }) => name === entry.name) !== entry) {
      throw new LocaldError('PLUGIN_CONFLICT', 'another plugin has the same name')
    }
    const importing = () => announce(entry, 'import', input)
    const result = await importCandidate(entry, { facts, settings, importMs, importing })
    return result === disabled ? unusable(entry, disabled, input) : result
  } catch (error) {
    return unusable(entry, asRefusal(error, 'PLUGIN_IMPORT', 'cannot be read'), input)
  }
}

/** Runs `setup` against a draft, which is applied as a whole at the end, or dropped. */
async function setUp(candidate: Candidate, input: LoadInput, limit: number): Promise<PluginView> {
  const { found, name } = candidate
  const restoreFeatures = input.features.snapshot()
  const declaring = hostOf(candidate, input)
  announce(found, 'set-up', input)
  const started = performance.now()
  const late = () => new LocaldError('PLUGIN_TIMEOUT', `setup timed out after ${Math.round(limit) / 1000} s`)
  try {
    const run = async () => candidate.setup(declaring.host)
    await withTimeout(limit, found.from === 'npm' ? withExitGuard(run) : run(), late)
    declaring.end()
    applyDraft(name, declaring, input)
    return { ...viewOf(found, 'active', input), setupMs: msSince(started) }
  } catch (error) {
    declaring.end()
    restoreFeatures()
    await discardDraft(name, declaring, input)
    const refusal = asRefusal(error, 'PLUGIN_SETUP', 'setup failed')
    const types = declaring.draft.types.map(({ type }) => type)
    return { ...unusable(found, refusal, input, types), setupMs: msSince(started) }
  }
}

/** Logs what begins: code that never returns blocks the daemon, and then the last line of the log names the plugin. */
function announce({ name, from }: FoundPlugin, what: string, { log }: LoadInput): void {
  if (from === 'npm') log(name).info(`${what} begins`)
}

/** Checks the whole draft before any of it is applied. */
function applyDraft(name: string, { draft }: Declaring, input: LoadInput): void {
  input.container.requireFree(
    name,
    draft.provisions.map(provision => provision.name),
  )
  input.contributions.commit(name, draft)
  for (const provision of draft.provisions) provision.provide()
  for (const close of draft.closers) input.teardown.add(name, close)
  input.hooks.add(name, draft.hooks)
}

async function discardDraft(name: string, { draft }: Declaring, { log }: LoadInput): Promise<void> {
  const closers = new Teardown(undoMs)
  for (const close of draft.closers) closers.add(name, close)
  await closers.run((owner, reason) => log(owner).warn(`closing after the failed setup: ${reason}`))
}

/** Returns a LocaldError unchanged; adds what failed to any other error. */
function asRefusal(error: unknown, code: ErrorCode, doing: string): LocaldError {
  if (LocaldError.is(error)) return error
  return new LocaldError(code, `${doing}: ${messageOf(error)}`, { cause: error })
}

/** Marks a plugin as off or broken; codes that say that it does not fit this machine mean off. */
function unusable(
  found: FoundPlugin,
  why: LocaldError | typeof disabled,
  input: LoadInput,
  drafted: readonly string[] = [],
): PluginView {
  const isOff = why === disabled || why.code === 'PLUGIN_PLATFORM' || why.code === 'PLUGIN_NEEDS'
  const reason = why === disabled ? 'disabled in config.toml' : why.message
  const state = isOff ? 'off' : 'broken'
  const hint =
    why === disabled
      ? `Remove \`enabled = false\` from [plugins.${found.name}] in ${input.folders.config}/config.toml, then run \`locald server restart\`.`
      : (why.hint ?? 'Run `locald plugins list` to see all plugins and their state.')
  const types = [...new Set([...found.types, ...drafted])]
  input.contributions.markUnavailable(found.name, types, `plugin ${found.name} is ${state}: ${reason}`, hint)
  if (why !== disabled && !isOff) logBroken(found, why, input)
  return { ...viewOf(found, state, input), types, reason, ...(why === disabled ? {} : { code: why.code }) }
}

/** Logs the error with its place in the plugin's code, for the author. */
function logBroken({ name }: FoundPlugin, { code, message, cause }: LocaldError, { log }: LoadInput): void {
  const stack = cause instanceof Error ? `\n${cause.stack}` : ''
  log(name).warn(`broken: ${message} [${code}]${stack}`)
}

function viewOf(found: FoundPlugin, state: PluginView['state'], input: LoadInput): PluginView {
  const { name, version, from } = found
  const isActive = state === 'active'
  const { types, commands } = isActive ? input.contributions.of(name) : { types: found.types, commands: [] }
  const features = isActive ? input.features.by(name) : []
  return { name, version, from, state, reason: null, types, features, commands, setupMs: null }
}

function msSince(started: number): number {
  return Math.round((performance.now() - started) * 10) / 10
}

/** What decides when a plugin is set up. */
export interface Ordered {
  readonly name: string
  readonly after: readonly string[]
  readonly needs: readonly string[]
}

/**
 * Takes plugins one by one: each when what it needs is provided, after those it names in `after`; the first in the list
 * where several are able. A plugin with unmet needs does not block those ordered after it, and neither does a circle of
 * `after`. Returns those whose needs were never met.
 */
export async function setUpInOrder<T extends Ordered>(
  all: readonly T[],
  isProvided: (name: string) => boolean,
  take: (it: T) => Promise<void>,
): Promise<readonly T[]> {
  const waiting = [...all]
  for (;;) {
    const able = waiting.filter(({ needs }) => needs.every(isProvided))
    const next = able.find(it => !isAfter(it, waiting)) ?? able.find(it => !isAfter(it, able)) ?? able[0]
    if (next === undefined) return waiting
    waiting.splice(waiting.indexOf(next), 1)
    await take(next)
  }
}

function isAfter({ name, after }: Ordered, others: readonly Ordered[]): boolean {
  return others.some(other => other.name !== name && after.includes(other.name))
}
