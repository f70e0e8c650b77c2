import type { ErrorJson } from '../errors.ts'
import type { LogLine } from '../events.ts'
import type { KeysQuery } from './projects.ts'

/**
 * `tail`: the last lines of all services together, or with `each`, of each. `since`: UTC ISO 8601. `resume`: instead of
 * that, of single services, the last line that the reader has, as `TIME STREAM HASH COUNT KEY`: the first 16 digits of
 * the SHA-256 of its text, and how many lines of that time and text the reader has. `grep`: a JavaScript regular
 * expression, for which with `ignoreCase` upper and lower case do not differ. `partial`: with `follow` and without `grep`, an unfinished line also comes in pieces before it comes
 * whole.
 */
export interface LogsQuery extends KeysQuery {
  readonly tail?: number
  readonly each?: boolean
  readonly since?: string
  readonly until?: string
  readonly resume?: readonly string[]
  readonly grep?: string
  readonly ignoreCase?: boolean
  readonly follow?: boolean
  readonly partial?: boolean
}

/** How grave a line is, as far as its text says. */
export type LogLevel = 'debug' | 'info' | 'warn' | 'error'

/** What to search services' output for: a text, a level, or both. `since` and `until` are included; `limit`: matches. */
export interface LogSearchQuery extends KeysQuery {
  readonly text?: string
  /** Only lines of this level, and graver ones. */
  readonly level?: LogLevel
  /** Whether the text is a JavaScript regular expression. */
  readonly regex?: boolean
  /** Whether upper and lower case differ. */
  readonly case?: boolean
  readonly since?: string
  readonly until?: string
  readonly limit?: number
}

/** A line of the answer: matches come from the newest block of lines on; the last line is `done` or `error`. */
export type LogSearchLine =
  | { readonly match: LogLine }
  | { readonly progress: LogSearchProgress }
  /** `isComplete`: all lines were searched; else the limit was reached. */
  | { readonly done: LogSearchProgress & { readonly isComplete: boolean } }
  | { readonly error: ErrorJson }

/** How far a search is. */
export interface LogSearchProgress {
  /** The time back to which all services were searched; null: nothing was yet. */
  readonly scannedTo: string | null
  readonly scannedBytes: number
  readonly totalBytes: number
  readonly matches: number
}
