import type { Translation } from '../contract/plugin.ts'
import type { ServiceView } from '../events.ts'
import type { LeaseBody, LeaseView } from './leases.ts'

/**
 * `path`: an absolute folder in or above which the project is found. `services` are names of its services,
 * `project:service`, names of projects, or folders relative to it.
 */
export interface TargetBody {
  readonly path: string
  readonly services?: readonly string[]
  /** All projects; `path` is then ignored. */
  readonly all?: boolean
}

export interface UpBody extends TargetBody {
  /** The caller's shell environment; absent: that of the project's last `up`, else ENVIRONMENT_UNKNOWN. */
  readonly env?: Readonly<Record<string, string>>
  /** Whether only the named services are started, without their dependencies. */
  readonly noDependencies?: boolean
  /** Files with more variables, absolute, until the next `up`; without `env` and them, those of the last `up`. */
  readonly envFiles?: readonly string[]
  /** Whether it only adds to what runs: `env` and `envFiles` count for a project of which nothing runs yet. */
  readonly isAddition?: boolean
  /** A name of the caller's for this `up`, by which a stop can take back what it has begun. */
  readonly id?: string
  /** Absent: what it starts runs until it is stopped. With it, services stop when no one else has started them. */
  readonly lease?: LeaseBody
}

export interface StopBody extends TargetBody {
  /** Only what the `up` of this `id` has begun; the `up` is waited for until it has begun all, or has given up. */
  readonly begunBy?: string
}

export interface RestartBody extends Omit<UpBody, 'lease'> {
  readonly dependents?: boolean
}

/** `service`: a name in the project of `path`, or `project:service`. */
export interface ResetBody {
  readonly path: string
  readonly service: string
}

export interface WaitBody extends TargetBody {
  readonly timeoutMs: number
}

export interface StatusAnswer {
  readonly services: readonly StatusView[]
}

/** A service, and who started it: without a lease, it runs until it is stopped. */
export interface StatusView extends ServiceView {
  /** "you", "the lease of claude (pid 812)"; null: it is not meant to run. */
  readonly startedBy?: string | null
  readonly leases?: readonly LeaseView[]
}

/** `service`: as the `services` of a target; without any, all of the project of `path`. */
export interface KeysQuery {
  readonly path: string
  readonly service?: string | readonly string[]
  readonly all?: boolean
}

/** The selected services, in the order of their files. */
export interface KeysAnswer {
  readonly keys: readonly string[]
}

/** `path`: the folder, absolute; those above it are not searched. */
export interface InferredQuery {
  readonly path: string
  /** Relative to the folder: only what this file describes. */
  readonly file?: string
}

/** What an `up` in a folder without a `locald.toml` would run. */
export interface InferredAnswer {
  /** The folder, without links. */
  readonly path: string
  /** The file that describes the project, relative to the folder. */
  readonly file: string
  /** The keys of each service as `locald.toml` would have them. */
  readonly services: Readonly<Record<string, Readonly<Record<string, unknown>>>>
  /** Files of services that another one than `file` describes, by their names. */
  readonly files: Readonly<Record<string, string>>
  /** What the user should know of the choice. */
  readonly notes: readonly string[]
  /** The format whose translation says more about the services. */
  readonly format?: string
}

/** What files of another format become. */
export type TranslationAnswer = Translation

/** Which files to translate to a `locald.toml`. */
export interface TranslationBody {
  /** The folder of the `locald.toml`. */
  readonly path: string
  /** The caller's environment variables. */
  readonly env: Readonly<Record<string, string>>
  readonly format: string
  /** Absolute; none: those that the format has in the folder. */
  readonly files: readonly string[]
}
