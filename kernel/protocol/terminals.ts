import type { ServiceQuery } from './services.ts'

/** A terminal's size is that of its smallest client, in cells. */
export interface TerminalQuery extends ServiceQuery {
  readonly cols: number
  readonly rows: number
}

/** Clear all: the next binary frame is the screen as it is, with lines above it. */
export interface TerminalScreenNote {
  readonly cols: number
  readonly rows: number
  /** Whether it takes typed text. */
  readonly input: boolean
  /** Whether its process has no terminal: what is shown is the output of pipes, or of a container. */
  readonly pipes?: true
}

/** A text frame of a terminal's WebSocket from the daemon. Binary frames are output. */
export type TerminalNote =
  | { readonly screen: TerminalScreenNote }
  /** The terminal's size has changed. */
  | { readonly size: readonly [cols: number, rows: number] }
  /** Whether it takes typed text has changed, as its service has exited or started. */
  | { readonly input: boolean }
  /** Something to show beside the terminal. */
  | { readonly notice: string }

/** A text frame to the daemon. Binary frames, of at most 64 KiB, are typed. */
export type TerminalControl =
  | { readonly resize: readonly [cols: number, rows: number] }
  /** How many bytes of output the client has shown since its last one; without them it gets no more than 512 KiB. */
  | { readonly ack: number }
