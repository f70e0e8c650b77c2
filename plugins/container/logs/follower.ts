import type { LogSink } from '../../../kernel/contract/plugin.ts'
import type { Engine } from '../provides.ts'

/** A container whose output is copied to the log of its service. */
export interface FollowedContainer {
  readonly engine: Engine
  /** Its name or id. */
  readonly container: string
  /**
   * The file on this machine that conmon writes it to (`logArgs`), which the daemon must be able to read; `drained`
   * removes it. Absent: the engine's client reads the output.
   */
  readonly file?: string | undefined
  readonly log: LogSink
  /** It was created now, and nothing of it is in the log yet. False: adopted. */
  readonly isNew: boolean
  /** Stops following, as `close` does. */
  readonly signal: AbortSignal
}

/** Copies a container's output until it is closed. */
export interface LogFollower {
  /**
   * Resolves when all that the container wrote is in the log; to be called once it has exited, and before it is removed.
   * Never rejects, and takes some seconds at most: what a full disk or a client that fails leaves out is reported in the log.
   */
  drained(): Promise<void>
  /** Stops at once; the next follower continues where this one was. */
  close(): void
}
