/**
 * `service`: whose place the command gets. Without it, `with` names services that the command needs: it runs in the
 * folder `path`, with the environment by which the project reaches them. `env`: the caller's shell environment; `argv`:
 * the command; `tty`: the caller has a terminal; `pid`: the process that runs the command: services that it may need are
 * in use as long as it runs.
 */
export interface OneOffBody {
  readonly path: string
  readonly service?: string
  readonly with?: readonly string[]
  readonly env: Readonly<Record<string, string>>
  readonly argv?: readonly string[]
  readonly tty?: boolean
  readonly pid?: number
}

/** How to run a one-off command in a service's place: `env` is all of its environment. Secrets: never print it. */
export interface OneOffAnswer {
  readonly dir: string
  /** What to run in place of the command; absent: the command itself. */
  readonly argv?: readonly string[]
  readonly env: Readonly<Record<string, string>>
  /** Keys of the services that the command may want to reach, and which do not run. */
  readonly notRunning: readonly string[]
}
