import type { AsyncSeriesHook, AsyncSeriesWaterfallHook } from 'tapable'
import type { ProjectPlan, ProjectRef, ServiceRef } from './project.ts'

/**
 * Named moments. All run in the plugins' order, one after the other, each plugin's part within 10 s (`closing`: 3 s). A failure is
 * PLUGIN_HOOK with the plugin's name.
 */
export interface Hooks {
  /** All plugins are loaded; before the API answers. */
  readonly booted: AsyncSeriesHook<[]>
  /** May rewrite a project's plan before anything of it starts. */
  readonly project: AsyncSeriesWaterfallHook<[ProjectPlan]>
  /** May add to a service's environment. */
  readonly env: AsyncSeriesWaterfallHook<[Record<string, string>, ServiceRef, EnvContext]>
  readonly starting: AsyncSeriesHook<[ServiceRef]>
  readonly ready: AsyncSeriesHook<[ServiceRef]>
  /** A service that runs is to be stopped or restarted, and shows it; its process is told after this. */
  readonly stopping: AsyncSeriesHook<[ServiceRef]>
  readonly gone: AsyncSeriesHook<[ServiceRef]>
  /** A project has stopped. */
  readonly down: AsyncSeriesHook<[ProjectRef]>
  readonly closing: AsyncSeriesHook<[]>
}

/** What the `env` hook may ask about the service whose environment it is. */
export interface EnvContext {
  /** Working folder of the service, absolute. */
  readonly dir: string
  /** The services it depends on, in the order of its `depends_on`. */
  readonly dependencies: readonly { readonly name: string; readonly type: string }[]
  /** Whether the project itself sets a variable: what is in the caller's shell does not count. */
  isOwn(variable: string): boolean
  /** The value of `${services.NAME.FIELD}`. */
  lookup(service: string, field: string): string | undefined
}
