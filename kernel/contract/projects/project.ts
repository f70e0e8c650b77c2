/** Which project, by value. */
export interface ProjectRef {
  readonly name: string
  readonly path: string
  readonly domain: string
  /** Only where the project is in a linked git worktree. */
  readonly worktree?: GitWorktree | undefined
}

/** A linked git worktree (git-worktree(1)). */
export interface GitWorktree {
  /** The folder of git's record of the worktree: `.git/worktrees/NAME` of the repository. */
  readonly gitDir: string
  /**
   * The same folder in the main checkout; absent where that has none, with a bare repository, and where the repository
   * does not know the worktree.
   */
  readonly mainCheckout?: string | undefined
}

/** Which service, by value. */
export interface ServiceRef {
  readonly key: string
  readonly name: string
  readonly type: string
  readonly project: ProjectRef
}

/** When a dependency counts as met. */
export type Condition = 'started' | 'ready' | 'completed'

/** A health check, durations in ms. */
export type HealthCheck = {
  readonly interval: number
  /** Whether the user chose the interval; if not, the time until ready is probed faster. */
  readonly intervalGiven: boolean
  readonly timeout: number
} & (
  | { readonly type: 'http'; readonly path: string }
  | { readonly type: 'tcp' }
  | { readonly type: 'command'; readonly command: string }
  | { readonly type: 'notify' }
  | { readonly type: 'log'; readonly pattern: string }
)

/** The keys every service type has; durations in ms, paths as written. */
export interface CommonOptions {
  readonly workdir: string | undefined
  readonly port: number | undefined
  readonly env: Readonly<Record<string, string>>
  readonly envFile: readonly string[]
  readonly dependsOn: Readonly<Record<string, Condition>>
  /** Services of other projects that it depends on, by `PROJECT:SERVICE`; absent: none. */
  readonly foreign?: Readonly<Record<string, Condition>> | undefined
  readonly healthCheck: HealthCheck | undefined
  readonly readyTimeout: number
  readonly restart: 'no' | 'on-failure' | 'always'
  readonly stopSignal: string
  readonly stopTimeout: number
  readonly watch: readonly string[]
  /** How long it runs without use; absent: for ever. */
  readonly idle?: number | undefined
  /** Whether lists show it only when it failed; absent: no. */
  readonly hidden?: boolean | undefined
  /** Commands of its own, by name; absent: none. */
  readonly commands?: Readonly<Record<string, ServiceCommand>> | undefined
}

/** A command that the project declares for a service: run in its place, as any command of `locald run`. */
export interface ServiceCommand {
  /** A line for `sh -c`, with references. */
  readonly run: string
  readonly description?: string | undefined
  /** Whether people are asked before it runs. */
  readonly confirm: boolean
  /** By name, in the order in which they are written. */
  readonly args: Readonly<Record<string, CommandArgument>>
}

/** An argument of a command. */
export interface CommandArgument {
  readonly type: 'string' | 'integer' | 'number' | 'boolean' | 'enum'
  /** What an `enum` may be. */
  readonly values?: readonly string[] | undefined
  /** Absent: it must be given. */
  readonly default?: ArgumentValue | undefined
  readonly description?: string | undefined
}

export type ArgumentValue = string | number | boolean

/** A service as configured, its type's options validated. */
export interface ServicePlan {
  readonly name: string
  readonly type: string
  readonly common: CommonOptions
  readonly options: unknown
}

/** A same-origin path on a project's domain. */
export interface Route {
  readonly prefix: string
  readonly service: string
  readonly stripPrefix: boolean
}

/** A project in a git worktree on the same branch as another project. */
export interface BranchProject {
  readonly name: string
  readonly path: string
  /** Whether it stands for the one of its main checkout: it was meant to run at the other one's `up`. */
  readonly isUsed: boolean
}

/** A project as configured. */
export interface ProjectPlan {
  readonly name: string
  readonly path: string
  readonly domain: string
  /** `[env]` of all layers, weakest first, merged. */
  readonly env: Readonly<Record<string, string>>
  readonly services: readonly ServicePlan[]
  readonly routes: readonly Route[]
  /** Whether names below the domain that are no service's go to the service that owns the domain; absent: no. */
  readonly wildcard?: boolean | undefined
  /** The tables of plugins that the project's configuration has, by name. */
  readonly tables?: Readonly<Record<string, unknown>> | undefined
  /** The folders of other projects, by the names that this one has for them, as written: relative to its own. */
  readonly projects?: Readonly<Record<string, string>> | undefined
  /**
   * Projects in git worktrees on the same branch as this one, by the names that it has for those of their main checkouts;
   * absent: none.
   */
  readonly onBranch?: Readonly<Record<string, BranchProject>> | undefined
  /** Files of the `up` with more variables, absolute: stronger than `.env`, weaker than a service's `env_file`. */
  readonly envFiles?: readonly string[] | undefined
  /** Files whose change means a reload, absolute, whether they exist or not. */
  readonly files: readonly string[]
}
