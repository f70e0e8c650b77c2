/** A program and its words. */
export type Argv = readonly [string, ...string[]]

/** The daemon as something else than the CLI is to start it. */
export interface BootUnit {
  /** Undefined: the user's own daemon. */
  readonly sandbox: string | undefined
  /** The daemon, in the foreground; it exits with 0 where another one runs. */
  readonly run: Argv
  /** Stops its services and it; the last word is completed by its pid. */
  readonly shutdown: Argv
  readonly env: Readonly<Record<string, string>>
  /** The file for what it writes before its own log is open. */
  readonly log: string
}

/** A command of the service manager, and how its exit codes are understood: 0 is success. */
export interface BootStep {
  readonly argv: Argv
  /** More exit codes of success: there was nothing left to do. */
  readonly successCodes?: readonly number[]
  /** Exit codes of a service manager that is not ready for the command yet: the command is run again for a while. */
  readonly retryCodes?: readonly number[]
}

/** How to make the service manager start the daemon. */
export interface BootStart {
  /** The service manager's name. */
  readonly manager: string
  /** Tried in order until one succeeds, no matter if the daemon runs. */
  readonly start: readonly BootStep[]
  /** How long the service manager may hold back a start it has accepted, ms. */
  readonly delayMs: number
}

/** What starts the daemon with the machine: one file, and the commands by which the service manager adopts it. */
export interface BootPlan extends BootStart {
  readonly file: string
  readonly text: string
  /** Run when the file is written. */
  readonly load: readonly BootStep[]
  /** Run before another file is written or this one is removed; they fail where nothing was loaded. */
  readonly unload: readonly Argv[]
  /** Each exits with 0 as long as the service manager has the daemon loaded: `unload` may return earlier. */
  readonly loaded: readonly Argv[]
  /** Run when the file was removed. */
  readonly removed: readonly Argv[]
  /** What the person may do where a command fails. */
  readonly failureHint: string
  /** What the person may want to know or do besides. */
  readonly hint?: string
}

/** A service manager of the user's. The CLI does what it plans, in the person's session. */
export interface Boot {
  /** Rejects with FEATURE_OFF where there is none, USAGE where a path or a variable cannot be written down. */
  plan(unit: BootUnit): Promise<BootPlan>
}
