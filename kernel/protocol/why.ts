import type { Health, Status } from '../events.ts'

/** Explains a service's state: `text` in one sentence, `because` step by step, nearest cause last. */
export interface WhyAnswer {
  readonly key: string
  readonly text: string
  readonly because: readonly string[]
  /** The same as a tree; absent in the answers of older daemons. */
  readonly tree?: WhyStep
  /** Of a service that is not well: what may have caused it, most likely first. Absent of a healthy one. */
  readonly changes?: readonly Change[]
  /** Since when the changes are: the last time that it was ready, UTC ISO 8601; null: never, as far as is known. */
  readonly wellAt?: string | null
  /** The folder in which the commands of the changes are run, absolute. */
  readonly folder?: string
}

/** A service in a `WhyAnswer`. */
export interface WhyStep {
  readonly key: string
  readonly name: string
  readonly status: Status
  readonly health: Health
  /** Why it is in its state; null: its causes say it, or nothing is known. */
  readonly reason: string | null
  /** What else is known: "restarted 4 times", "failed since 12:00:01". */
  readonly facts: readonly string[]
  /** The last lines of its output, where it is not well and has no causes. */
  readonly lines: readonly string[]
  /** The dependencies that it waits for, or failed because of. */
  readonly causes: readonly WhyStep[]
  /** Names of the services that wait for it, or failed because of it. */
  readonly dependents: readonly string[]
}

/** A fact about a service that is not well: what has changed since it was, or what is missing. */
export interface Change {
  /** One sentence without a full stop. It never contains a value of an environment variable. */
  readonly text: string
  /** The shell command that shows the change, or undoes it; null: there is none. */
  readonly command: string | null
  /** What has changed: `file`, `commit`, `environment`, `configuration`, `packages`, `tool`, `port`, `data` and others. */
  readonly kind: string
  /** When it changed, UTC ISO 8601; null: not known. */
  readonly at: string | null
}
