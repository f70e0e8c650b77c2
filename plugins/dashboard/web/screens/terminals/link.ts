import type { TerminalControl, TerminalNote } from '../../../../../kernel/protocol.ts'
import { searchOf } from '../../api.ts'

/** Bytes of a frame; the daemon takes no more than 64 KiB. */
const frameLength = 16 * 1024
/** Reconnects wait this long, then twice as long each time, ms. */
const firstPauseMs = 250
const longestPauseMs = 5000
/** Shown bytes are acknowledged together, so often: ms. */
const acknowledgeMs = 20
/** What is typed before the terminal is there, pieces. */
const earlyLimit = 1000

export interface LinkListener {
  bytes(bytes: Uint8Array, shown: () => void): void
  note(note: TerminalNote): void
  /** Whether it is connected has changed. */
  connected(now: boolean): void
}

/** The connection to a terminal; reconnects until it is closed. */
export class TerminalLink {
  readonly #target: string
  readonly #listener: LinkListener
  #size: readonly [cols: number, rows: number]
  #socket: WebSocket | undefined
  #pauseMs = firstPauseMs
  #timer: ReturnType<typeof setTimeout> | undefined
  #shown = 0
  /** Typed text for a terminal that is not there yet; undefined: it was. */
  #early: Uint8Array<ArrayBuffer>[] | undefined = []
  #isClosed = false

  /** @param target its route below `/v1`, with the query but for the size */
  constructor(target: string, size: readonly [cols: number, rows: number], listener: LinkListener) {
    this.#target = target
    this.#size = size
    this.#listener = listener
    this.#connect()
  }

  resize(cols: number, rows: number): void {
    if (cols === this.#size[0] && rows === this.#size[1]) return
    this.#size = [cols, rows]
    this.#control({ resize: this.#size })
  }

  type(bytes: Uint8Array<ArrayBuffer>): void {
    if (this.#early !== undefined && this.#early.length < earlyLimit) this.#early.push(bytes)
    if (this.#early !== undefined || this.#socket?.readyState !== WebSocket.OPEN) return
    for (let at = 0; at < bytes.length; at += frameLength) this.#socket.send(bytes.subarray(at, at + frameLength))
  }

  close(): void {
    this.#isClosed = true
    clearTimeout(this.#timer)
    this.#socket?.close()
  }

  #connect(): void {
    const [cols, rows] = this.#size
    const origin = location.origin.replace(/^http/, 'ws')
    const socket = new WebSocket(`${origin}/v1${this.#target}&${searchOf({ cols, rows })}`)
    socket.binaryType = 'arraybuffer'
    this.#socket = socket
    socket.addEventListener('open', () => {
      // It may have changed meanwhile.
      this.#control({ resize: this.#size })
      this.#listener.connected(true)
    })
    socket.addEventListener('message', ({ data }) => this.#take(socket, data))
    socket.addEventListener('close', () => {
      if (this.#isClosed) return
      this.#listener.connected(false)
      this.#timer = setTimeout(() => this.#connect(), this.#pauseMs)
      this.#pauseMs = Math.min(longestPauseMs, this.#pauseMs * 2)
    })
  }

  #take(socket: WebSocket, data: unknown): void {
    if (this.#isClosed) return
    if (typeof data === 'string') {
      this.#pauseMs = firstPauseMs
      const note: TerminalNote = JSON.parse(data)
      this.#listener.note(note)
      if ('screen' in note) this.#typeEarly(note.screen.input)
    } else if (data instanceof ArrayBuffer)
      this.#listener.bytes(new Uint8Array(data), () => this.#acknowledge(socket, data.byteLength))
  }

  #typeEarly(hasInput: boolean): void {
    const early = this.#early ?? []
    this.#early = undefined
    if (hasInput) for (const bytes of early) this.type(bytes)
  }

  #acknowledge(socket: WebSocket, bytes: number): void {
    // What an earlier connection brought is no one's to acknowledge.
    if (socket !== this.#socket) return
    if (this.#shown === 0)
      setTimeout(() => {
        const ack = this.#shown
        this.#shown = 0
        if (socket === this.#socket) this.#control({ ack })
      }, acknowledgeMs)
    this.#shown += bytes
  }

  #control(control: TerminalControl): void {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(control))
  }
}
