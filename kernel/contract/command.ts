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
  run(argv: readonly string[], context: CommandContext): Promise<CommandResult>
}

export interface CommandContext {
  readonly cwd: string
  /** Folder of the nearest project at or above `cwd` that was ever started; undefined where there is none. */
  readonly project?: string | undefined
  /** Aborted when the client has left. */
  readonly signal: AbortSignal
  /** What came of the `steps` of the answer before: undefined where none were asked for yet. */
  readonly outcomes?: readonly KeychainOutcome[] | undefined
}

export interface CommandResult {
  readonly exitCode: number
  /** Printed before the table; empty: nothing is. */
  readonly text: string
  readonly table?: CommandTable
  /** What `--json` prints; default: the table's rows as objects by column, else `{ "text": … }`. */
  readonly data?: unknown
  /**
   * Changes of the macOS keychain that only the person at the screen can allow. The CLI announces each, makes it, and runs the command again
   * with their `outcomes`. Taken of commands that ship with locald, and once; `text` is for who cannot do that.
   */
  readonly steps?: readonly KeychainStep[]
}

/** Rows that the CLI prints as a table; each has a cell for each column. */
export interface CommandTable {
  readonly columns: readonly string[]
  readonly rows: readonly (readonly (string | number | null)[])[]
}

/** One change of the trust settings of macOS. */
export interface KeychainStep {
  readonly act: 'trust' | 'untrust'
  /** `user`: of the person alone, by locald-keychain; `admin`: of all users, by locald-shim. */
  readonly domain: 'user' | 'admin'
  /** PEM. */
  readonly certificate: string
}

/** What came of a step. */
export interface KeychainOutcome extends KeychainStep {
  /** 0, or Apple's OSStatus; null: the program did not come to that, `says` has why. */
  readonly status: number | null
  readonly says: string
}
