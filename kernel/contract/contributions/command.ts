import type { Argv } from '../services/boot.ts'

/** A CLI command of a plugin: runs in the daemon and answers with text, a table, and a value for `--json`. */
export interface Command {
  readonly name: string
  /** Begins with a bare verb, in at most 50 characters. */
  readonly description: string
  /** Its arguments as `--help` shows them, such as `<NAME> [--force]`. */
  readonly usage?: string
  /** Where `locald --help` lists it; absent: nowhere. Only the commands of plugins that ship are listed. */
  readonly group?: 'project' | 'data' | 'config' | 'machine' | 'daemon'
  /** What else its `--help` prints, in sentences. */
  readonly details?: string
  /** What its first argument may be: each has a `--help` of its own, and is completed. */
  readonly subcommands?: readonly Subcommand[]
  run(argv: readonly string[], context: CommandContext): Promise<CommandResult>
}

/** A command inside a command, such as `snapshot` of `locald db`. */
export interface Subcommand {
  readonly name: string
  /** Begins with a bare verb, in at most 50 characters. */
  readonly description: string
  /** Its arguments as `--help` shows them, such as `[NAME]`. */
  readonly usage?: string
  /** What else its `--help` prints, in sentences. */
  readonly details?: string
  readonly flags?: readonly CommandFlag[]
}

/** A flag of a subcommand: `value` is the placeholder of the value it takes; absent: it is on or off. */
export interface CommandFlag {
  readonly name: string
  readonly value?: string
  /** Begins with a bare verb, in at most 50 characters. */
  readonly description: string
}

export interface CommandContext {
  readonly cwd: string
  /** Folder of the nearest project at or above `cwd` that was ever started; undefined where there is none. */
  readonly project?: string | undefined
  /** Aborted when the client has left. */
  readonly signal: AbortSignal
  /** The results of the `steps` in the previous answer; undefined on the first run. */
  readonly outcomes?: readonly TrustOutcome[] | undefined
}

export interface CommandResult {
  readonly exitCode: number
  /** Printed before the table; empty: nothing is. */
  readonly text: string
  readonly table?: CommandTable
  /** What `--json` prints; default: the table's rows as objects by column, else `{ "text": … }`. */
  readonly data?: unknown
  /**
   * Changes of trust settings that only the user at the screen can allow. The CLI announces each, makes it, and runs
   * the command again with their `outcomes`. Only commands that ship with locald may ask for them, and once; `text` is
   * for other clients of the API.
   */
  readonly steps?: readonly TrustStep[]
  /**
   * A program that the CLI runs in the caller's folder and terminal, after it has printed the rest; `exitCode` is then
   * the program's own. Only commands that ship with locald may ask for it.
   */
  readonly terminal?: TerminalProgram
}

/** A program and its whole environment. */
export interface TerminalProgram {
  readonly argv: Argv
  readonly env: Readonly<Record<string, string>>
}

/** Rows that the CLI prints as a table; each has a cell for each column. */
export interface CommandTable {
  readonly columns: readonly string[]
  readonly rows: readonly (readonly (string | number | null)[])[]
}

/** A change of trust settings: a certificate is trusted, or no longer. */
export interface TrustStep {
  readonly act: 'trust' | 'untrust'
  /** `user`: the settings of the user alone; `admin`: those of all users. */
  readonly domain: 'user' | 'admin'
  /** PEM. */
  readonly certificate: string
}

/** The result of a step. */
export interface TrustOutcome extends TrustStep {
  /**
   * 0 for success, else the system's status code; null: the program that makes the change did not run to its end,
   * `says` has why.
   */
  readonly status: number | null
  readonly says: string
}
