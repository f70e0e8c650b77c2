/** A program and its words. */
export type Argv = readonly [string, ...string[]]

/** The daemon as something else than the CLI is to start it. */
export interface BootUnit {
  /** Undefined: the user's own daemon. */
  readonly sandbox: string | undefined
  /** The daemon, in the foreground; it ends with 75 where another one runs. */
  readonly run: Argv
  /** Stops its services and it; the last word is completed by its pid. */
  readonly shutdown: Argv
  readonly env: Readonly<Record<string, string>>
  /** The file for what it writes before its own log is open. */
  readonly log: string
}

/** What starts the daemon with the machine: one file, and the commands by which the system takes it over. */
export interface BootPlan {
  readonly file: string
  readonly text: string
  /** When the file is there. */
  readonly load: readonly Argv[]
  /** Starts the daemon, then and later; no matter if it runs. */
  readonly start: Argv
  /** Before another file is written or this one is removed; they may fail, where nothing was loaded. */
  readonly unload: readonly Argv[]
  /** When the file was removed. */
  readonly removed: readonly Argv[]
  /** What the person may want to do besides. */
  readonly hint?: string
}

/** A service manager of the user's. The CLI does what it plans, in the person's session. */
export interface Boot {
  /** Rejects with FEATURE_OFF where there is none, USAGE where a path or a variable cannot be written down. */
  plan(unit: BootUnit): Promise<BootPlan>
}
