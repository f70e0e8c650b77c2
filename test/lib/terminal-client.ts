import { setTimeout as pause } from 'node:timers/promises'
import headless from '@xterm/headless'
import WebSocket from 'ws'
import type { TerminalNote } from '../../kernel/protocol.ts'
import type { Test } from './sandbox.ts'

/** ms */
const deadlineMs = 20_000

/** What a client of a terminal is opened with. */
export interface TerminalClientOptions {
  /** The daemon's Unix socket. */
  readonly socket: string
  /** The service whose terminal it is, or the id of a command. */
  readonly of: { readonly path: string; readonly service: string } | { readonly id: string }
  readonly size?: readonly [cols: number, rows: number]
  /** Default: true. */
  readonly acknowledges?: boolean
}

/** A client of a terminal with a screen of its own, as the page in a browser is. */
export class TerminalClient {
  readonly notes: TerminalNote[] = []
  readonly #socket: WebSocket
  readonly #screen: InstanceType<typeof headless.Terminal>
  /** Bytes of output so far. */
  received = 0
  closed: { readonly code: number; readonly reason: string } | undefined

  constructor(t: Test, { socket, of, size = [80, 24], acknowledges = true }: TerminalClientOptions) {
    const [cols, rows] = size
    this.#screen = new headless.Terminal({ cols, rows, allowProposedApi: true })
    const query = new URLSearchParams({ ...of, cols: String(cols), rows: String(rows) })
    const route = 'id' in of ? 'runs' : 'services'
    this.#socket = new WebSocket(`ws+unix:${socket}:/v1/${route}/terminal?${query}`)
    this.#socket.on('message', (data: Buffer, isBinary) => {
      if (!isBinary) return this.#note(JSON.parse(String(data)))
      this.received += data.length
      this.#screen.write(data, () => {
        if (acknowledges) this.send(JSON.stringify({ ack: data.length }))
      })
    })
    this.#socket.on('close', (code, reason) => {
      this.closed ??= { code, reason: String(reason) }
    })
    this.#socket.on('error', error => {
      this.closed ??= { code: 0, reason: String(error) }
    })
    t.teardown(() => this.#socket.terminate())
  }

  /** Sends a frame: binary when it is a buffer. */
  send(frame: string | Buffer): void {
    if (this.#socket.readyState === WebSocket.OPEN) this.#socket.send(frame)
  }

  type(text: string): void {
    this.send(Buffer.from(text))
  }

  resize(cols: number, rows: number): void {
    this.send(JSON.stringify({ resize: [cols, rows] }))
  }

  close(): void {
    this.#socket.terminate()
  }

  /** The lines of the screen and above it, without trailing blanks. */
  get text(): string {
    const { active } = this.#screen.buffer
    const lines = Array.from({ length: active.length }, (_, at) => active.getLine(at)?.translateToString(true) ?? '')
    return lines.join('\n').trimEnd()
  }

  get size(): readonly [number, number] {
    return [this.#screen.cols, this.#screen.rows]
  }

  /** Waits until the screen matches. */
  async shows(pattern: RegExp): Promise<void> {
    await this.until(() => pattern.test(this.text), `${pattern}`)
  }

  async until(test: () => boolean, what: string): Promise<void> {
    for (const end = Date.now() + deadlineMs; !test(); await pause(10)) {
      if (Date.now() < end) continue
      throw new Error(`timed out: ${what}\n${this.text}\n${JSON.stringify(this.notes)} ${JSON.stringify(this.closed)}`)
    }
  }

  #note(note: TerminalNote): void {
    this.notes.push(note)
    if ('screen' in note) {
      this.#screen.reset()
      this.#screen.resize(note.screen.cols, note.screen.rows)
    } else if ('size' in note) this.#screen.resize(...note.size)
  }
}
