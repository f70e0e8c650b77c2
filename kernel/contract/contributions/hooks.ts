import type { AsyncSeriesHook, AsyncSeriesWaterfallHook } from 'tapable'
import type { ProjectPlan, ProjectRef, ServiceRef } from '../projects/project.ts'

/**
 * Points in the life of the daemon and its services. Plugins run one after the other, in their order, each within 10 s
 * (`closing`: 3 s). A failure is PLUGIN_HOOK with the plugin's name.
 */
export interface Hooks {
  /** Runs when all plugins are loaded, before the services of an earlier daemon are adopted. */
  readonly loaded: AsyncSeriesHook<[]>
  /** Runs when they are adopted, before the API answers. */
  readonly booted: AsyncSeriesHook<[]>
  /** Rewrites a project's plan before any of its services starts. */
  readonly project: AsyncSeriesWaterfallHook<[ProjectPlan]>
  /** Adds to a service's environment, after all references are resolved. */
  readonly env: AsyncSeriesWaterfallHook<[Record<string, string>, ServiceRef, EnvContext]>
  readonly starting: AsyncSeriesHook<[ServiceRef]>
  readonly ready: AsyncSeriesHook<[ServiceRef]>
  /**
   * Runs before the process of a running service gets its stop signal; its status shows the stop or restart already.
   */
  readonly stopping: AsyncSeriesHook<[ServiceRef]>
  /** Runs when a service's instance has exited. */
  readonly gone: AsyncSeriesHook<[ServiceRef]>
  /** Runs when a project has stopped. */
  readonly down: AsyncSeriesHook<[ProjectRef]>
  readonly closing: AsyncSeriesHook<[]>
}

/** The service whose environment the `env` hook changes. */
export interface EnvContext {
  /** Working folder of the service, absolute; the project's for a guest. */
  readonly dir: string
  /** Where it runs: paths of this machine mean nothing to a guest. */
  readonly reach: 'host' | 'guest'
  /** The services it depends on, in the order of its `depends_on`. */
  readonly dependencies: readonly { readonly name: string; readonly type: string }[]
  /** Returns whether the project itself sets a variable; the caller's shell does not count. */
  isOwn(variable: string): boolean
  /** Returns the value of `${services.NAME.FIELD}`, as this service reaches the other. */
  lookup(service: string, field: string): string | undefined
}
