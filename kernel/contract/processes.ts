import type { Instance, LogSink } from './instance.ts'

/** What to run. `dir` absolute; `env` complete; pipes when `tty` is false. */
export interface ProcessSpec {
  readonly key: string
  readonly argv: readonly [string, ...string[]]
  readonly dir: string
  readonly env: Readonly<Record<string, string>>
  readonly tty: boolean
  readonly log: LogSink
  readonly port: number | undefined
  readonly stopSignal: string
  /** ms */
  readonly stopTimeout: number
  /** True for a main process that stops its children itself: they get no stop signal while it runs. Default: false. */
  readonly stopsChildren?: boolean
}

/** Starts processes that outlive the daemon. */
export interface Processes {
  /** Rejects with SPAWN_FAILED when the program cannot be run. */
  spawn(spec: ProcessSpec): Promise<Instance>
  /** From an Instance's `state` of an earlier daemon; one that has ended meanwhile tells its exit. Undefined when it is no such state. */
  adopt(state: unknown, log: LogSink): Promise<Instance | undefined>
  /**
   * After all of an earlier daemon's services were adopted: stops what is held but was neither started nor adopted by this daemon (it
   * was started in the moment the earlier one was killed), and removes what ended ones left. `spared`: states, in any shape, of instances
   * that could not be adopted, as those of another version: they run on. The others have `graceMs` to end.
   */
  tidy(spared?: readonly unknown[], graceMs?: number): Promise<void>
  /** After files of the runtime folder were removed: makes what the processes it holds need there. */
  restore(): Promise<void>
}
