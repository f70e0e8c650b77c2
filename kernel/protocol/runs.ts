import type { Argv } from '../contract/plugin.ts'
import type { CommandCall } from './one-off.ts'

/**
 * A command to start in a service's place, on a terminal of its own. `argv`: its words, as of `locald run`; `command`: in
 * its place, one that the service declares.
 */
export interface RunBody {
  readonly path: string
  readonly service: string
  readonly argv?: Argv
  readonly command?: CommandCall
}

export interface RunAnswer {
  readonly run: RunView
  /** Keys of the services that the command may want to reach, and which do not run. */
  readonly notRunning: readonly string[]
}

/** A command on a terminal of its own; it stays in the list after its exit until it is closed. */
export interface RunView {
  readonly id: string
  /** The key of the service in whose place it runs. */
  readonly service: string
  readonly argv: readonly string[]
  /** UTC ISO 8601. */
  readonly startedAt: string
  /** Null while it runs. */
  readonly exit: { readonly code: number | null; readonly signal: string | null } | null
}

/** All commands, in the order of their start; also each value of the topic `runs`. */
export interface RunsAnswer {
  readonly runs: readonly RunView[]
}

export interface RunCloseBody {
  readonly id: string
}

/** A terminal's size is that of its smallest client, in cells. */
export interface RunTerminalQuery {
  readonly id: string
  readonly cols: number
  readonly rows: number
}
