/** A CLI command of a plugin: runs in the daemon and answers with text and a value for `--json`. */
export interface Command {
  readonly name: string
  readonly description: string
  run(argv: readonly string[], context: CommandContext): Promise<CommandResult>
}

export interface CommandContext {
  readonly cwd: string
  /** Aborted when the client has left. */
  readonly signal: AbortSignal
  /** What came of the `steps` of the answer before: undefined where none were asked for yet. */
  readonly outcomes?: readonly KeychainOutcome[] | undefined
}

export interface CommandResult {
  readonly exitCode: number
  readonly text: string
  readonly data?: unknown
  /**
   * Changes of the macOS keychain that only the person at the screen can allow. The CLI announces each, makes it, and runs the command again
   * with their `outcomes`. Taken of commands that ship with locald, and once; `text` is for who cannot do that.
   */
  readonly steps?: readonly KeychainStep[]
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
