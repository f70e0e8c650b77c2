/** A CLI command of a plugin: runs in the daemon and answers with text and a value for `--json`. */
export interface Command {
  readonly name: string
  readonly description: string
  run(argv: readonly string[], context: { readonly cwd: string; readonly signal: AbortSignal }): Promise<CommandResult>
}

export interface CommandResult {
  readonly exitCode: number
  readonly text: string
  readonly data?: unknown
}
