import type { Instance, LogSink } from '../projects/instance.ts'

/** A process to start. `dir` absolute; `env` complete; pipes when `tty` is false. */
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
  /**
   * Adopts an instance of an earlier daemon by its `state`; one that exited meanwhile reports its exit. Undefined for
   * another kind of state.
   */
  adopt(state: unknown, log: LogSink): Promise<Instance | undefined>
  /**
   * Runs after all services of an earlier daemon were adopted: stops processes that this daemon neither started nor
   * adopted (they were started at the moment the earlier one was killed), and removes the files of those that exited.
   * `spared`: states, in any shape, of instances that could not be adopted, such as those of another version, which
   * keep running. The others have `graceMs` to exit.
   */
  tidy(spared?: readonly unknown[], graceMs?: number): Promise<void>
  /** Restores the files of running processes after the runtime folder was removed. */
  restore(): Promise<void>
}
