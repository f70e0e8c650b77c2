import type { Socket } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import WebSocket from 'ws'
import { type ErrorJson, LocaldError } from '../../kernel/errors.ts'
import type { TerminalControl, TerminalNote } from '../../kernel/protocol.ts'
import type { Paths } from '../../kernel/system/paths.ts'
import { connectOrWait } from '../daemon/connect.ts'

/** Bytes of a frame; the daemon takes no more than 64 KiB. */
const frameLength = 16 * 1024
/** A connection that is lost is opened again after so long, then twice as long each time, ms. */
const firstPauseMs = 100
const longestPauseMs = 500
/** The daemon answers from memory, ms. */
const handshakeMs = 15_000

/** The service whose terminal it is. */
export interface ConnectionTarget {
  readonly path: string
  readonly key: string
}

export interface ConnectionEvents {
  note(note: TerminalNote): void
  /** Takes output; resolves when it is shown. */
  bytes(bytes: Uint8Array): Promise<void>
  /** The daemon exited, or closed the connection. */
  lost(): void
}

/** The WebSocket of a service's terminal, to the next daemon when one exits. */
export class Connection {
  readonly #paths: Paths
  readonly #target: ConnectionTarget
  readonly #events: ConnectionEvents
  readonly #closed = new AbortController()
  #size: readonly [cols: number, rows: number]
  #socket: WebSocket | undefined

  constructor(paths: Paths, target: ConnectionTarget, size: readonly [number, number], events: ConnectionEvents) {
    this.#paths = paths
    this.#target = target
    this.#size = size
    this.#events = events
  }

  /** Connects again and again until it is closed. Throws the error of a daemon that refuses. */
  async run(): Promise<void> {
    const { signal } = this.#closed
    for (let waitMs = firstPauseMs; !signal.aborted; waitMs = Math.min(longestPauseMs, waitMs * 2)) {
      const plain = await connectOrWait(this.#paths)
      if (plain !== undefined && (await this.#serve(plain))) waitMs = firstPauseMs
      if (!signal.aborted) this.#events.lost()
      await pause(waitMs, undefined, { signal }).catch(() => undefined)
    }
  }

  /** Whether typed text can be sent. */
  get isOpen(): boolean {
    return this.#socket?.readyState === WebSocket.OPEN
  }

  type(bytes: Uint8Array): void {
    if (!this.isOpen) return
    for (let at = 0; at < bytes.length; at += frameLength) this.#socket?.send(bytes.subarray(at, at + frameLength))
  }

  resize(size: readonly [cols: number, rows: number]): void {
    this.#size = size
    this.#control({ resize: size })
  }

  close(): void {
    this.#closed.abort()
    this.#socket?.terminate()
  }

  /** Uses a connection until it closes; whether it became the terminal's. */
  #serve(plain: Socket): Promise<boolean> {
    const [cols, rows] = this.#size
    const { path, key } = this.#target
    const query = new URLSearchParams({ path, service: key, cols: String(cols), rows: String(rows) })
    const socket = new WebSocket(`ws://locald/v1/services/terminal?${query}`, {
      createConnection: () => plain,
      handshakeTimeout: handshakeMs,
      perMessageDeflate: false,
    })
    this.#socket = socket
    let isOpened = false
    socket.on('open', () => {
      isOpened = true
      // It may have changed meanwhile.
      this.#control({ resize: this.#size })
    })
    socket.on('message', (data, isBinary) => this.#take(socket, data, isBinary))
    return new Promise((resolve, reject) => {
      socket.on('unexpected-response', (_, response) => {
        const parts: Buffer[] = []
        response.on('data', (part: Buffer) => parts.push(part))
        response.on('error', () => resolve(false))
        response.on('end', () => {
          const error = readError(Buffer.concat(parts).toString())
          socket.terminate()
          if (error === undefined || error.code === 'DAEMON_CLOSING') resolve(false)
          else reject(error)
        })
      })
      socket.on('error', () => socket.terminate())
      socket.on('close', () => resolve(isOpened))
    })
  }

  #take(socket: WebSocket, data: WebSocket.RawData, isBinary: boolean): void {
    const bytes = Buffer.concat([data].flat().map(part => (part instanceof ArrayBuffer ? Buffer.from(part) : part)))
    if (isBinary) {
      void this.#events.bytes(bytes).then(() => {
        // What an earlier connection brought is no one's to acknowledge.
        if (socket === this.#socket) this.#control({ ack: bytes.length })
      })
      return
    }
    const note: TerminalNote = JSON.parse(bytes.toString())
    this.#events.note(note)
  }

  #control(control: TerminalControl): void {
    if (this.isOpen) this.#socket?.send(JSON.stringify(control))
  }
}

/** Returns the daemon's error; undefined where it is none. */
function readError(text: string): LocaldError | undefined {
  try {
    const { error }: { error: ErrorJson } = JSON.parse(text)
    return typeof error.code === 'string' ? LocaldError.fromJSON(error) : undefined
  } catch {
    return undefined
  }
}
