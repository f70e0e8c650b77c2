/** `check`: ids of the checks to run; without any, all. */
export interface DoctorQuery {
  readonly check?: readonly string[]
}

export interface DoctorAnswer {
  readonly ok: boolean
  readonly checks: readonly CheckView[]
  /** What to do, in the checks' order; what two checks ask for stands here once. */
  readonly fixes: readonly string[]
  /** Those of the fixes that a command does. */
  readonly commands: readonly FixCommand[]
}

export interface CheckView {
  readonly plugin: string
  readonly id: string
  readonly severity: 'critical' | 'important' | 'optional'
  readonly status: 'pass' | 'warn' | 'fail' | 'skip'
  readonly summary: string
  readonly fix: string | null
}

/** A shell command that fixes a problem; `root`: it needs root, so that only the user runs it. */
export interface FixCommand {
  readonly command: string
  readonly root: boolean
}

/** `command`: one of the `commands` of the last `DoctorAnswer`, which needs no root. */
export interface FixBody {
  readonly command: string
}

/** How a fix went: `exitCode` null: it timed out. `output`: what it printed, the last 64 KB. */
export interface FixAnswer {
  readonly command: string
  readonly exitCode: number | null
  readonly output: string
}
