import type { ProcessTree } from './process-table.ts'

/** A started service. */
export interface Instance {
  readonly pid: number | null
  /** ms since the epoch. */
  readonly startedMs: number
  /** Resolves when all its processes have exited; never rejects. */
  readonly exited: Promise<Exit>
  /** JSON that the next daemon passes to `adopt`. */
  readonly state: unknown
  stop(how: { signal: string; graceMs: number }): Promise<void>
  /** Checks readiness where the project sets no health check. */
  probe?(): Promise<boolean>
  /** How often `probe` is called after readiness, ms; three failures in a row are unhealthy. Absent: not again. */
  readonly probeEvery?: number
  /** Runs the command of a health check inside a guest, which a shell on this machine cannot. Never rejects. */
  check?(command: string, timeoutMs: number, signal: AbortSignal): Promise<InsideCheck>
  /** Returns why it exited, beyond its code: "was killed for lack of memory". Called once it has exited. */
  exitReason?(): string | undefined
  /** Adds a listener, which first gets all events since the start; the result removes it. */
  on?(listener: (event: InstanceEvent) => void): () => void
  /** Stops the processes that the main process left running; called after a `main` event. */
  finish?(): void
  /** Its process tree, for usage and listeners; absent without a process on this machine. */
  readonly tree?: ProcessTree
}

/** The result of a command of a health check. `detail`: why not, as the end of a sentence. */
export interface InsideCheck {
  readonly ok: boolean
  readonly detail: string
}

/** What a running instance reports. */
export type InstanceEvent =
  | {
      readonly event: 'notify'
      readonly ready: boolean
      readonly stopping: boolean
      readonly status: string | null
      readonly pid: number
    }
  /** The main process exited with 0, and others of its tree keep running. */
  | { readonly event: 'main'; readonly exit: Exit; readonly left: number }

/** How a process exited: with a code, or killed by the signal of that name. Both null: unknown. */
export interface Exit {
  readonly code: number | null
  readonly signal: string | null
}

/** The log of a service: a file that a keeper writes to, and lines from the daemon. */
export interface LogSink {
  /** Absolute path of the current file (CRI lines: `<RFC 3339 µs> <stream> <F|P> <text>`). */
  readonly file: string
  readonly maxBytes: number
  readonly maxFiles: number
  /** Writes output that the daemon itself has. */
  write(stream: 'stdout' | 'stderr' | 'locald', text: string): void
  /** Reports that a keeper wrote to the file. */
  changed(): void
  /** Calls the listener at once and on each change with whether a client follows the log. The result removes it. */
  onFollowed(listener: (followed: boolean) => void): () => void
}
