import type { Socket } from 'node:net'
import { sizeOf, slots } from '../upstream/buffers.ts'

/** Up to this many bytes are written as a string, which needs no buffer. */
const maxText = 8 * 1024
const crlf = Buffer.from('\r\n')

/** Collects a response's bytes, and writes those of one event at once. */
export class ResponseWriter {
  readonly #socket: Socket
  #text = ''
  #pieces: Buffer[] = []

  constructor(socket: Socket) {
    this.#socket = socket
  }

  /** Adds a head, in latin1; it must precede the event's other bytes. */
  addHead(text: string): void {
    this.#text += text
  }

  /** Adds the end of a body, in latin1. */
  addEnd(text: string): void {
    if (this.#pieces.length === 0) this.#text += text
    else this.#pieces.push(Buffer.from(text, 'latin1'))
  }

  /** Adds bytes between two offsets, which must stay valid until `flush`. */
  addBytes(bytes: Buffer, from: number, to: number): void {
    if (this.#fits(to - from)) this.#text += bytes.toString('latin1', from, to)
    else this.#pieces.push(bytes.subarray(from, to))
  }

  /** Adds the same as a chunk. */
  addChunk(bytes: Buffer, from: number, to: number): void {
    const size = `${(to - from).toString(16)}\r\n`
    if (this.#fits(to - from)) this.#text += `${size}${bytes.toString('latin1', from, to)}\r\n`
    else this.#pieces.push(Buffer.from(size, 'latin1'), bytes.subarray(from, to), crlf)
  }

  /** Writes what was added. Returns false when the socket's buffer is full. */
  flush(): boolean {
    const text = this.#text
    const pieces = this.#pieces
    this.#text = ''
    if (pieces.length === 0) return text === '' || this.#socket.write(text, 'latin1')
    this.#pieces = []
    // Always a copy: the next read overwrites the pieces' bytes.
    const { bytes, done } = slots.join(text, pieces, text.length + sizeOf(pieces))
    return this.#socket.write(bytes, done)
  }

  #fits(size: number): boolean {
    return this.#pieces.length === 0 && this.#text.length + size <= maxText
  }
}
