import type { Duplex } from 'node:stream'

/** The size of a terminal in character cells. */
export interface TerminalSize {
  readonly cols: number
  readonly rows: number
}

/** A connection to the terminal of a process. */
export interface TerminalConnection {
  /**
   * Carries the output, and takes what is typed. It must be read all the time: a reader that lags is disconnected, as
   * the process is never made to wait. It closes when the process exits.
   */
  readonly stream: Duplex
  /** How many bytes at the beginning of the stream were written before it was opened. */
  readonly history: number
  /** Changes the terminal's size, of which its foreground processes are notified. */
  resize(size: TerminalSize): void
}
