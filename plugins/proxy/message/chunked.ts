import { cr, Fields, lf, tokenByte } from './bytes.ts'
import type { RawHeaders } from './headers.ts'

const max = { sizeDigits: 12, extension: 1024, extensions: 16 * 1024, trailers: 16 * 1024 }
const semicolon = 59
const equals = 61
const framing = /^(content-length|transfer-encoding)$/i
const fields = new Fields(256)

const crlf = Buffer.from('\r\n')

/** Frames a non-empty piece of a body as a chunk. */
export function chunkOf(piece: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`${piece.length.toString(16)}\r\n`, 'latin1'), piece, crlf])
}

type Pairs = readonly (readonly [string, string])[]

/** Returns the end of a chunked body, with its trailers, in Latin-1. */
export function lastChunk(trailers: Pairs): string {
  return `0\r\n${trailerLines(trailers)}`
}

/** Returns trailers with the empty line after them. */
export function trailerLines(trailers: Pairs): string {
  return `${trailers.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`
}

type State = 'size' | 'extension' | 'size end' | 'data' | 'data cr' | 'data lf' | 'trailers'

/** The state after some bytes. `faulty` is final. */
export type Read = { readonly is: 'more' | 'faulty' } | { readonly is: 'end'; readonly at: number }

const needsMore: Read = { is: 'more' }
const faulty: Read = { is: 'faulty' }

/**
 * Reads a chunked body (RFC 9112 section 7.1) as it arrives. Skips extensions, keeps trailers. Accepts no more than
 * llhttp does in its strict mode; less where no service needs it: no quoted extensions, sizes of at most 12 digits.
 */
export class ChunkReader {
  /** The trailers, after the end. */
  trailers: RawHeaders = []
  /** Bytes of content so far, by the sizes of the chunks. */
  size = 0
  #state: State = 'size'
  #digits = 0
  #remaining = 0
  #extension = 0
  #extensions = 0
  /** Inside an extension: 0 at the start of its name, 1 in it, 2 at the start of its value, 3 in it. */
  #part = 0
  #held: Buffer | undefined

  /**
   * Reads from `at`. Adds the chunks as they are to `wire`, without extensions and without the last chunk's trailers
   * and empty line; adds their content to `data`.
   */
  read(buffer: Buffer, at: number, wire: Buffer[] | undefined, data: Buffer[] | undefined): Read {
    const size = buffer.length
    let i = at
    // The first byte not yet added to `wire`.
    let from = at
    const pass = (to: number): void => {
      if (to > from) wire?.push(buffer.subarray(from, to))
    }
    while (i < size) {
      const byte = buffer[i] ?? 0
      switch (this.#state) {
        case 'size': {
          const digit = hexOf(byte)
          if (digit >= 0) {
            if (++this.#digits > max.sizeDigits) return faulty
            this.#remaining = this.#remaining * 16 + digit
          } else if (this.#digits === 0) return faulty
          else if (byte === cr) this.#state = 'size end'
          else if (byte === semicolon) {
            this.#state = 'extension'
            this.#extension = 0
            this.#part = 0
            pass(i)
          } else return faulty
          i++
          break
        }
        case 'extension':
          if (!this.#readExtension(byte)) return faulty
          if (this.#state !== 'extension') from = i
          i++
          break
        case 'size end':
          if (byte !== lf) return faulty
          i++
          if (this.#remaining === 0) {
            this.#state = 'trailers'
            pass(i)
            from = size
          } else {
            this.#state = 'data'
            this.size += this.#remaining
          }
          break
        case 'data': {
          const take = Math.min(this.#remaining, size - i)
          data?.push(buffer.subarray(i, i + take))
          i += take
          this.#remaining -= take
          if (this.#remaining === 0) this.#state = 'data cr'
          break
        }
        case 'data cr':
          if (byte !== cr) return faulty
          this.#state = 'data lf'
          i++
          break
        case 'data lf':
          if (byte !== lf) return faulty
          this.#state = 'size'
          this.#digits = 0
          i++
          break
        case 'trailers':
          return this.#readTrailers(buffer, i)
      }
    }
    if (this.#state !== 'extension') pass(size)
    return needsMore
  }

  /** Reads one byte of an extension: `;name` or `;name=value`, both tokens. Returns whether it is valid. */
  #readExtension(byte: number): boolean {
    if (++this.#extension > max.extension || ++this.#extensions > max.extensions) return false
    if (tokenByte[byte] === 1) {
      if (this.#part === 0 || this.#part === 2) this.#part++
      return true
    }
    if (this.#part === 0 || this.#part === 2) return false
    if (byte === equals && this.#part === 1) this.#part = 2
    else if (byte === semicolon) this.#part = 0
    else if (byte === cr) this.#state = 'size end'
    else return false
    return true
  }

  #readTrailers(buffer: Buffer, at: number): Read {
    const before = this.#held?.length ?? 0
    const rest = buffer.subarray(at)
    const all = this.#held === undefined ? rest : Buffer.concat([this.#held, rest])
    const end = fields.read(all, 0, all.length)
    if (end === -2 || (end === -1 && all.length > max.trailers)) return faulty
    if (end === -1) {
      this.#held = Buffer.from(all)
      return needsMore
    }
    const trailers: string[] = []
    for (let i = 0; i < fields.count * 5; i += 5) {
      const mark = (n: number): number => fields.marks[i + n] ?? 0
      // Framing after the body would contradict the framing before it.
      if (framing.test(all.toString('latin1', mark(0), mark(1)))) return faulty
      trailers.push(all.toString('latin1', mark(0), mark(1)), all.toString('latin1', mark(2), mark(3)))
    }
    this.trailers = trailers
    return { is: 'end', at: at + end - before }
  }
}

function hexOf(byte: number): number {
  if (byte >= 48 && byte <= 57) return byte - 48
  const lower = byte | 32
  return lower >= 97 && lower <= 102 ? lower - 87 : -1
}
