import type { ProcessTree } from './process-table.ts'

/** A started service. */
export interface Instance {
  readonly pid: number | null
  /** ms since the epoch. */
  readonly startedMs: number
  /** Resolves when nothing of it is left; never rejects. */
  readonly exited: Promise<Exit>
  /** JSON that adopt() gets back. */
  readonly state: unknown
  stop(how: { signal: string; graceMs: number }): Promise<void>
  /** Used when the user gave no health check. */
  probe?(): Promise<boolean>
  /** Events since the start are replayed to a new listener. */
  on?(listener: (event: InstanceEvent) => void): () => void
  /** Ends what the main process left behind; used after a `main` event. */
  finish?(): void
  /** Tree for usage and listeners; absent for what is no host process. */
  readonly tree?: ProcessTree
}

/** What an instance tells of itself while it runs. */
export type InstanceEvent =
  | {
      readonly event: 'notify'
      readonly ready: boolean
      readonly stopping: boolean
      readonly status: string | null
      readonly pid: number
    }
  /** The main process ended with 0 and others of its tree run on. */
  | { readonly event: 'main'; readonly exit: Exit; readonly left: number }

/** How a process ended: a code, or the name of the signal that ended it. Both null: unknown. */
export interface Exit {
  readonly code: number | null
  readonly signal: string | null
}

/** Where a service's output goes: a file that a keeper writes, or lines from the daemon. */
export interface LogSink {
  /** Absolute path of the current file (CRI lines: `<RFC 3339 µs> <stream> <F|P> <text>`). */
  readonly file: string
  readonly maxBytes: number
  readonly maxFiles: number
  /** For output the daemon itself has. */
  write(stream: 'stdout' | 'stderr' | 'locald', text: string): void
  /** A keeper wrote to the file. */
  changed(): void
  /** Called at once and on each change with whether anyone is reading along. The result stops it. */
  onFollowed(listener: (followed: boolean) => void): () => void
}
