import type { ProcessTree } from '../services/process-table.ts'
import type { TerminalConnection, TerminalSize } from './terminal.ts'

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
  probe?(): Promise<boolean | InsideCheck>
  /** How often `probe` is called after readiness, ms; three failures in a row are unhealthy. Absent: not again. */
  readonly probeEvery?: number
  /** Runs the command of a health check inside a guest, which a shell on this machine cannot. Never rejects. */
  check?(command: string, timeoutMs: number, signal: AbortSignal): Promise<InsideCheck>
  /**
   * Handles changes of watched files, relative to the project's root; none: it is not known which. Absent: a change
   * restarts the service.
   */
  changed?(files: readonly string[]): void
  /** Returns why it exited, beyond its code: "was killed for lack of memory". Called once it has exited. */
  exitReason?(): string | undefined
  /** Adds a listener, which first gets all events since the start; the result removes it. */
  on?(listener: (event: InstanceEvent) => void): () => void
  /** Stops the processes that the main process left running; called after a `main` event. */
  finish?(): void
  /**
   * Connects to its terminal, which gets that size. Resolves with undefined when it has none; rejects when it cannot be
   * reached, as after its exit.
   */
  openTerminal?(size: TerminalSize): Promise<TerminalConnection | undefined>
  /** Its process tree, for usage and listeners; absent without a process on this machine. */
  readonly tree?: ProcessTree | undefined
}

/** The result of a check. `detail`: why not, as the end of a sentence. */
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
  /** A fact that `locald status` shows as the reason while there is no other; null: none any more. */
  | { readonly event: 'note'; readonly text: string | null }
  /** Its pid, `startedMs` or `state` differ: another process of the service runs now, or none. */
  | { readonly event: 'process' }
  /** One of the runs of a service that stays has exited: an entry of its history. */
  | { readonly event: 'run'; readonly exit: Exit }
  /** The main process exited with 0, and others of its tree keep running. */
  | { readonly event: 'main'; readonly exit: Exit; readonly left: number }

/** How a process exited: with a code, or killed by the signal of that name. Both null: unknown. */
export interface Exit {
  readonly code: number | null
  readonly signal: string | null
}

/** A piece of a service's output, as one line of its log file has it. */
export interface LogEntry {
  /** UTC, RFC 3339 with six decimals: `2026-11-30T17:22:54.123456Z`. */
  readonly time: string
  readonly stream: 'stdout' | 'stderr'
  /** False: the line continues in the stream's next entry. */
  readonly isFull: boolean
  /** Without a newline. */
  readonly text: Buffer
}

/** The last output in a log: its time, and how many entries in a row at its end have exactly that time. */
export interface LastEntry {
  readonly time: string
  readonly count: number
}

/**
 * The log of a service: a file that a keeper writes to, and lines from the daemon. A service without a keeper has its
 * output appended by the daemon.
 */
export interface LogSink {
  /** Absolute path of the current file (CRI lines: `<RFC 3339 µs> <stream> <F|P> <text>`). */
  readonly file: string
  readonly maxBytes: number
  readonly maxFiles: number
  /** Writes output that the daemon itself has. */
  write(stream: 'stdout' | 'stderr' | 'locald', text: string): void
  /**
   * Appends output that has times of its own, in one write; not for a file that a keeper writes to. Returns false when
   * none of it could be written, as on a full disk: then the caller retries.
   */
  append(entries: readonly LogEntry[]): boolean
  /** Finds the last entry of one stream, or of stdout and stderr: where an interrupted `append` continues. */
  lastEntry(stream?: 'stdout' | 'stderr'): Promise<LastEntry | undefined>
  /** Reports that a keeper wrote to the file. */
  changed(): void
  /** Calls the listener at once and on each change with whether a client follows the log. The result removes it. */
  onFollowed(listener: (followed: boolean) => void): () => void
}
