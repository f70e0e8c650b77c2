/**
 * The catalogue: every code that locald reports, with the HTTP status it has in the API. A code is never reused.
 * Exit code: 2 for `usage` (nothing was changed), 1 for `failed` (it was tried), 124 for `timeout`.
 */
export const catalogue = {
  USAGE: { kind: 'usage', status: 400 },
  UNKNOWN_COMMAND: { kind: 'usage', status: 400 },
  CONFIG_INVALID: { kind: 'usage', status: 400 },
  CONFIG_NOT_FOUND: { kind: 'usage', status: 404 },
  CONFIG_UNREADABLE: { kind: 'usage', status: 400 },
  CONFIG_UNTRUSTED: { kind: 'usage', status: 403 },
  DEPENDENCY_CYCLE: { kind: 'usage', status: 400 },
  SERVICE_TYPE_UNSUPPORTED: { kind: 'usage', status: 400 },
  PLUGIN_MISSING: { kind: 'usage', status: 400 },
  UNKNOWN_SERVICE: { kind: 'usage', status: 404 },
  UNKNOWN_PROJECT: { kind: 'usage', status: 404 },
  ENVIRONMENT_UNKNOWN: { kind: 'usage', status: 409 },
  UNKNOWN_RUN: { kind: 'usage', status: 404 },
  UNKNOWN_REQUEST: { kind: 'usage', status: 404 },
  REPLAY_FAILED: { kind: 'failed', status: 409 },
  ENV_UNRESOLVED: { kind: 'usage', status: 400 },
  EDIT_FAILED: { kind: 'failed', status: 409 },
  IMPORT_UNSUPPORTED: { kind: 'usage', status: 400 },
  PLATFORM_OVERRIDE: { kind: 'usage', status: 400 },
  SERVICE_FAILED: { kind: 'failed', status: 409 },
  SERVICE_NOT_RUNNING: { kind: 'failed', status: 409 },
  PORT_TAKEN: { kind: 'failed', status: 409 },
  NO_FREE_PORT: { kind: 'failed', status: 409 },
  SPAWN_FAILED: { kind: 'failed', status: 409 },
  STEP_FAILED: { kind: 'failed', status: 409 },
  DAEMON_START: { kind: 'failed', status: 500 },
  DAEMON_UNREACHABLE: { kind: 'failed', status: 500 },
  DAEMON_CLOSING: { kind: 'failed', status: 503 },
  DAEMON_BUSY: { kind: 'failed', status: 503 },
  PATHS_UNUSABLE: { kind: 'failed', status: 500 },
  KEEPER_MISSING: { kind: 'failed', status: 500 },
  REQUEST_INVALID: { kind: 'usage', status: 400 },
  PLUGIN_API: { kind: 'failed', status: 500 },
  PLUGIN_PLATFORM: { kind: 'failed', status: 500 },
  PLUGIN_NEEDS: { kind: 'failed', status: 500 },
  PLUGIN_IMPORT: { kind: 'failed', status: 500 },
  PLUGIN_SETUP: { kind: 'failed', status: 500 },
  PLUGIN_TIMEOUT: { kind: 'failed', status: 500 },
  PLUGIN_CONFLICT: { kind: 'failed', status: 500 },
  PLUGIN_HOOK: { kind: 'failed', status: 500 },
  WAIT_TIMEOUT: { kind: 'timeout', status: 504 },
  SHIM_MISSING: { kind: 'failed', status: 409 },
  NEEDS_ROOT: { kind: 'usage', status: 400 },
  SHIM_FAILED: { kind: 'failed', status: 409 },
  ENGINE_FAILED: { kind: 'failed', status: 409 },
  IMAGE_FAILED: { kind: 'failed', status: 409 },
  SHARE_FAILED: { kind: 'failed', status: 409 },
  FEATURE_OFF: { kind: 'failed', status: 409 },
  SIGN_IN_REQUIRED: { kind: 'usage', status: 401 },
  ORIGIN_FORBIDDEN: { kind: 'usage', status: 403 },
  INTERNAL: { kind: 'failed', status: 500 },
} as const satisfies Record<string, { kind: 'usage' | 'failed' | 'timeout'; status: number }>

/** A code of the catalogue. */
export type ErrorCode = keyof typeof catalogue

/** One place a problem was found at: file (absolute), 1-based line, dotted key. */
export interface Problem {
  readonly message: string
  readonly file?: string
  readonly line?: number
  readonly key?: string
  readonly hint?: string
}

/** What an error carries besides its message. */
export interface ErrorDetails {
  readonly hint?: string
  readonly plugin?: string
  readonly service?: string
  readonly problems?: readonly Problem[]
  readonly cause?: unknown
}

/** An error as it travels in JSON: API answers, `--json` on stderr. */
export interface ErrorJson {
  readonly code: ErrorCode
  readonly message: string
  readonly hint?: string
  readonly plugin?: string
  readonly service?: string
  readonly problems?: readonly Problem[]
}

const brand = Symbol.for('locald.error')

/** An error for the person who reads it: what happened, to what, and what to do about it. */
export class LocaldError extends Error {
  readonly code: ErrorCode
  readonly hint: string | undefined
  readonly plugin: string | undefined
  readonly service: string | undefined
  readonly problems: readonly Problem[]
  /** Marks the class across copies of the package, where `instanceof` fails. */
  readonly [brand] = true

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? {} : { cause: details.cause })
    this.name = 'LocaldError'
    this.code = code
    this.hint = details.hint
    this.plugin = details.plugin
    this.service = details.service
    this.problems = details.problems ?? []
  }

  toJSON(): ErrorJson {
    return {
      code: this.code,
      message: this.message,
      ...(this.hint === undefined ? {} : { hint: this.hint }),
      ...(this.plugin === undefined ? {} : { plugin: this.plugin }),
      ...(this.service === undefined ? {} : { service: this.service }),
      ...(this.problems.length === 0 ? {} : { problems: this.problems }),
    }
  }

  /** Whether a value is one, also of another copy of the package, if its code is in this catalogue. */
  static is(value: unknown): value is LocaldError {
    return typeof value === 'object' && value !== null && brand in value && 'code' in value && isCode(value.code)
  }

  /** Converts a thrown value to a LocaldError; any other error becomes INTERNAL with its message. */
  static from(value: unknown): LocaldError {
    if (LocaldError.is(value)) return value
    return new LocaldError('INTERNAL', messageOf(value), { cause: value })
  }

  static fromJSON(json: ErrorJson): LocaldError {
    return new LocaldError(isCode(json.code) ? json.code : 'INTERNAL', json.message, json)
  }
}

function isCode(code: unknown): code is ErrorCode {
  return typeof code === 'string' && Object.hasOwn(catalogue, code)
}

/** Returns the exit code for an error of this code: 2 usage, 1 failed, 124 timed out. */
export function exitCodeOf(code: ErrorCode): number {
  const { kind } = catalogue[code]
  return kind === 'usage' ? 2 : kind === 'timeout' ? 124 : 1
}

/** EBADARCH of macOS (sys/errno.h), "Bad CPU type in executable", which libuv has no name for. */
const otherProcessor = /Unknown system error -86\b/

/** Whether a program did not run because it is for another kind of processor. */
export function isOtherProcessors(value: unknown): boolean {
  return value instanceof Error && otherProcessor.test(value.message)
}

/**
 * Returns the message of any thrown value, never empty: plugins may throw anything, and a refused connection to two
 * addresses has none.
 */
export function messageOf(value: unknown): string {
  if (value instanceof AggregateError && value.message === '') return value.errors.map(messageOf).join('; ')
  if (value instanceof Error)
    return value.message.replace(otherProcessor, 'EBADARCH: a program for another kind of processor') || value.name
  try {
    const text = typeof value === 'object' && value !== null && 'message' in value ? value.message : value
    return String(text) || '(no message)'
  } catch {
    return '(unprintable error)'
  }
}

/** Returns an error's system code (`ENOENT`, `EADDRINUSE` …), if it has one. */
export function systemCode(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null || !('code' in value)) return undefined
  return typeof value.code === 'string' ? value.code : undefined
}
