import { AsyncSeriesHook, AsyncSeriesWaterfallHook } from 'tapable'
import type { EnvContext, Hooks, ProjectPlan, ProjectRef, ServiceRef } from '../contract/plugin.ts'
import { LocaldError, messageOf } from '../errors.ts'
import { withTimeout } from '../system/async.ts'

/** A hook that takes longer counts as hung: ms. */
export const hookLimit = 10_000
/** The same for `closing`, as a command waits for the daemon to stop: ms. */
export const closingLimit = 3000

/**
 * Makes one plugin's own set of hooks: dropping the set drops all its taps. `gate` runs before each tap, and throws
 * when it is too late.
 */
export function makeHooks(gate: () => void): Hooks {
  const hooks = {
    loaded: new AsyncSeriesHook([]),
    booted: new AsyncSeriesHook([]),
    project: new AsyncSeriesWaterfallHook(['plan']),
    env: new AsyncSeriesWaterfallHook(['env', 'service', 'context']),
    starting: new AsyncSeriesHook(['service']),
    ready: new AsyncSeriesHook(['service']),
    stopping: new AsyncSeriesHook(['service']),
    gone: new AsyncSeriesHook(['service']),
    down: new AsyncSeriesHook(['project']),
    closing: new AsyncSeriesHook([]),
  } satisfies Hooks
  const register = <T>(tap: T): T => {
    gate()
    return tap
  }
  for (const hook of Object.values(hooks)) hook.intercept({ register })
  return hooks
}

type Failed = (plugin: string, error: LocaldError) => void

/** Runs all plugins' hooks in the plugins' order. A failure or timeout is PLUGIN_HOOK with the plugin's name. */
export class HookRuns {
  readonly #sets: { readonly plugin: string; readonly hooks: Hooks }[] = []
  readonly #limit: number

  constructor(limit = hookLimit) {
    this.#limit = limit
  }

  add(plugin: string, hooks: Hooks): void {
    this.#sets.push({ plugin, hooks })
  }

  /** Runs `loaded` of each plugin; a failure is reported, and the others still run. */
  loaded(failed: Failed): Promise<void> {
    return this.#boot('loaded', failed)
  }

  /** Runs `booted` in the same way. */
  booted(failed: Failed): Promise<void> {
    return this.#boot('booted', failed)
  }

  async #boot(name: 'loaded' | 'booted', failed: Failed): Promise<void> {
    for (const { plugin, hooks } of this.#sets) {
      if (hooks[name].taps.length === 0) continue
      await this.#run(plugin, name, () => hooks[name].promise()).catch(error => failed(plugin, error))
    }
  }

  async project(plan: ProjectPlan): Promise<ProjectPlan> {
    let result = plan
    for (const { plugin, hooks } of this.#sets) {
      if (hooks.project.taps.length === 0) continue
      result = await this.#run(plugin, 'project', async () => asPlan(await hooks.project.promise(result)))
    }
    return result
  }

  /** @param changed called with each variable that a plugin sets to another value */
  async env(
    env: Record<string, string>,
    service: ServiceRef,
    context: EnvContext,
    changed: (name: string, plugin: string) => void = () => {},
  ): Promise<Record<string, string>> {
    let result = env
    for (const { plugin, hooks } of this.#sets) {
      if (hooks.env.taps.length === 0) continue
      const before = { ...result }
      result = await this.#run(plugin, 'env', async () => asEnv(await hooks.env.promise(result, service, context)))
      for (const [name, value] of Object.entries(result)) if (before[name] !== value) changed(name, plugin)
    }
    return result
  }

  starting(service: ServiceRef): Promise<void> {
    return this.#each('starting', hooks => hooks.starting.promise(service))
  }

  ready(service: ServiceRef): Promise<void> {
    return this.#each('ready', hooks => hooks.ready.promise(service))
  }

  stopping(service: ServiceRef): Promise<void> {
    return this.#each('stopping', hooks => hooks.stopping.promise(service))
  }

  gone(service: ServiceRef): Promise<void> {
    return this.#each('gone', hooks => hooks.gone.promise(service))
  }

  down(project: ProjectRef): Promise<void> {
    return this.#each('down', hooks => hooks.down.promise(project))
  }

  closing(): Promise<void> {
    return this.#each('closing', hooks => hooks.closing.promise())
  }

  /** Runs a series hook in each plugin, all of them even if one fails; then throws the first failure. */
  async #each(name: keyof Hooks, call: (hooks: Hooks) => Promise<void>): Promise<void> {
    let first: unknown
    for (const { plugin, hooks } of this.#sets) {
      if (hooks[name].taps.length === 0) continue
      await this.#run(plugin, name, () => call(hooks)).catch(error => {
        first ??= error
      })
    }
    if (first !== undefined) throw first
  }

  async #run<T>(plugin: string, hook: keyof Hooks, call: () => Promise<T>): Promise<T> {
    try {
      const limit = hook === 'closing' ? Math.min(this.#limit, closingLimit) : this.#limit
      const late = `plugin ${plugin}: hook '${hook}' timed out after ${limit / 1000} s`
      return await withTimeout(limit, call(), () => new LocaldError('PLUGIN_HOOK', late, { plugin }))
    } catch (error) {
      if (LocaldError.is(error) && error.plugin !== undefined) throw error
      const hint = LocaldError.is(error) ? error.hint : undefined
      throw new LocaldError('PLUGIN_HOOK', `plugin ${plugin}: hook '${hook}' failed: ${messageOf(error)}`, {
        plugin,
        cause: error,
        ...(hint === undefined ? {} : { hint }),
      })
    }
  }
}

/** Checks what a plugin's waterfall returned, so that a mistake is reported with the plugin's name. */
function asPlan(plan: unknown): ProjectPlan {
  if (isPlan(plan)) return plan
  throw new Error('no plan returned')
}

function isPlan(plan: unknown): plan is ProjectPlan {
  if (typeof plan !== 'object' || plan === null || !('services' in plan) || !Array.isArray(plan.services)) return false
  const services: readonly unknown[] = plan.services
  return services.every(it => {
    return typeof it === 'object' && it !== null && 'name' in it && 'type' in it && 'common' in it && 'options' in it
  })
}

function asEnv(env: unknown): Record<string, string> {
  if (typeof env !== 'object' || env === null) throw new Error('no environment returned')
  const checked: Record<string, string> = {}
  for (const [name, value] of Object.entries(env)) {
    if (typeof value !== 'string') throw new Error(`${name} is not a string`)
    checked[name] = value
  }
  return checked
}
