import type { CommandResult, Subcommand, TrustOutcome } from '../contract/plugin.ts'

export interface CommandBody {
  readonly argv: readonly string[]
  readonly cwd: string
  /** The outcomes of the steps in the previous answer. */
  readonly outcomes?: readonly TrustOutcome[]
}

/** What `--help` prints of a plugin's command. */
export interface CommandView {
  readonly name: string
  readonly description: string
  readonly usage?: string
  readonly details?: string
  readonly subcommands?: readonly Subcommand[]
}

/** The answer of a plugin's command, as the command returned it. */
export type CommandAnswer = CommandResult
