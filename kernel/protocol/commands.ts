import type { CommandTable, TerminalProgram, TrustOutcome, TrustStep } from '../contract/plugin.ts'

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
}

export interface CommandAnswer {
  readonly exitCode: number
  readonly text: string
  readonly table?: CommandTable
  readonly data?: unknown
  /** For the CLI to make, and then to run the command again with their outcomes. */
  readonly steps?: readonly TrustStep[]
  /** For the CLI to run in the caller's terminal. */
  readonly terminal?: TerminalProgram
}
