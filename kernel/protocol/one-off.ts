import type { ArgumentValue, CommandArgument } from '../contract/plugin.ts'

/** A command that a service declares, with values of its arguments: those that are missing have a default. */
export interface CommandCall {
  readonly name: string
  readonly args?: Readonly<Record<string, ArgumentValue>>
}

/**
 * `service`: whose place the command gets. Without it, `with` names services that the command needs: it runs in the
 * folder `path`, with the environment by which the project reaches them. `env`: the caller's shell environment; `argv`:
 * the command; `command`: in its place, one that the service declares; `tty`: the caller has a terminal; `pid`: the
 * process that runs the command: services that it may need are in use as long as it runs; `wake`: those that sleep are
 * started first, as with `pid`.
 */
export interface OneOffBody {
  readonly path: string
  readonly service?: string
  readonly with?: readonly string[]
  readonly env: Readonly<Record<string, string>>
  readonly argv?: readonly string[]
  readonly command?: CommandCall
  readonly tty?: boolean
  readonly pid?: number
  readonly wake?: boolean
}

/** A process that uses services, which are in use as long as it runs. */
export interface UseBody {
  readonly path: string
  readonly services: readonly string[]
  readonly pid: number
}

/** How to run a one-off command in a service's place: `env` is all of its environment. Secrets: never print it. */
export interface OneOffAnswer {
  readonly dir: string
  /** What to run in place of `argv`; absent: that itself. */
  readonly argv?: readonly string[]
  readonly env: Readonly<Record<string, string>>
  /** Keys of the services that the command may want to reach, and which do not run. */
  readonly notRunning: readonly string[]
}

/** The commands that services declare, by their keys and names, in the order of the file. */
export interface ServiceCommandsAnswer {
  readonly services: readonly { readonly key: string; readonly commands: readonly ServiceCommandView[] }[]
}

/** A command that a service declares. */
export interface ServiceCommandView {
  readonly name: string
  /** As it is written, references unresolved. */
  readonly run: string
  readonly description: string | null
  /** Whether people are asked before it runs. */
  readonly confirm: boolean
  readonly args: readonly CommandArgumentView[]
}

/** An argument of a command; without `default` it must be given. */
export interface CommandArgumentView extends CommandArgument {
  readonly name: string
}
