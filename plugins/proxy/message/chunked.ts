import { cr, Fields, lf, tokenByte } from './bytes.ts'
import type { RawHeaders } from './headers.ts'

const most = { sizeDigits: 12, extension: 1024, extensions: 16 * 1024, trailers: 16 * 1024 }
const semicolon = 59
const equals = 61
const framing = /^(content-length|transfer-encoding)$/i
const fields = new Fields(256)

const crlf = Buffer.from('\r\n')

/** A piece of a body as a chunk, not an empty one. */
export function chunkOf(piece: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`${piece.length.toString(16)}\r\n`, 'latin1'), piece, crlf])
}

/** The end of a body in chunks, with its trailers, in Latin-1. */
export function lastChunk(trailers: readonly (readonly [string, string])[]): string {
  return `0\r\n${trailers.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`
}

type State = 'size' | 'extension' | 'size end' | 'data' | 'data cr' | 'data lf' | 'trailers'

/** What reading chunks came to. `faulty` is final. */
export type Read = { readonly is: 'more' | 'faulty' } | { readonly is: 'end'; readonly at: number }

const moreToCome: Read = { is: 'more' }
const faulty: Read = { is: 'faulty' }

/**
 * A body in chunks (RFC 9112 section 7.1), read as it comes. Extensions are read over, trailers kept. Takes no more than
 * llhttp does in its strict mode; less where that costs nobody anything: no quoted extensions, sizes of at most 12 digits.
 */
export class Chunks {
  /** After the end, the trailers. */
  trailers: RawHeaders = []
  #state: State = 'size'
  #digits = 0
  #left = 0
  #extension = 0
  #extensions = 0
  /** Inside an extension: 0 at the start of its name, 1 in it, 2 at the start of its value, 3 in it. */
  #part = 0
  #held: Buffer | undefined

  /**
   * Reads from `at`. `wire` gets the bytes with which to pass the chunks on as they are, without extensions and without the
   * last chunk's trailers and empty line; `data` what is in them.
   */
  read(buffer: Buffer, at: number, wire: Buffer[] | undefined, data: Buffer[] | undefined): Read {
    const size = buffer.length
    let i = at
    // Where the bytes begin that were not passed on yet.
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
            if (++this.#digits > most.sizeDigits) return faulty
            this.#left = this.#left * 16 + digit
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
          if (!this.#extends(byte)) return faulty
          if (this.#state !== 'extension') from = i
          i++
          break
        case 'size end':
          if (byte !== lf) return faulty
          i++
          if (this.#left === 0) {
            this.#state = 'trailers'
            pass(i)
            from = size
          } else this.#state = 'data'
          break
        case 'data': {
          const take = Math.min(this.#left, size - i)
          data?.push(buffer.subarray(i, i + take))
          i += take
          this.#left -= take
          if (this.#left === 0) this.#state = 'data cr'
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
          return this.#trail(buffer, i)
      }
    }
    if (this.#state !== 'extension') pass(size)
    return moreToCome
  }

  /** One byte of an extension: `;name` or `;name=value`, tokens both. */
  #extends(byte: number): boolean {
    if (++this.#extension > most.extension || ++this.#extensions > most.extensions) return false
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

  #trail(buffer: Buffer, at: number): Read {
    const before = this.#held?.length ?? 0
    const rest = buffer.subarray(at)
    const all = this.#held === undefined ? rest : Buffer.concat([this.#held, rest])
    const end = fields.read(all, 0, all.length)
    if (end === -2 || (end === -1 && all.length > most.trailers)) return faulty
    if (end === -1) {
      this.#held = Buffer.from(all)
      return moreToCome
    }
    const trailers: string[] = []
    for (let i = 0; i < fields.count * 5; i += 5) {
      const mark = (n: number): number => fields.marks[i + n] ?? 0
      // It would say where the message ended, after it has.
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
