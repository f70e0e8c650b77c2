import { constants, inflateRawSync } from 'node:zlib'
import type { FrameView } from '../provides.ts'
import { type Frame, type Frames, frameLimits } from './frames.ts'

const noBytes = Buffer.alloc(0)
/** RFC 6455 section 11.8. */
const types: Readonly<Record<number, FrameView['type']>> = { 1: 'text', 2: 'binary', 8: 'close', 9: 'ping', 10: 'pong' }
/** Bytes of a control frame's payload (RFC 6455 section 5.5). */
const controlLimit = 125
/** What a deflated message refers back to at most (RFC 7692). */
const windowSize = 32 * 1024
const flushed = Buffer.from([0, 0, 255, 255])

/** What a reader gives its messages to. */
export interface FrameSink {
  readonly frames: Frames
  /** Whether someone looks. */
  isWanted(): boolean
  changed(): void
}

/**
 * Reads the frames of one direction of a WebSocket (RFC 6455 section 5.2) as they pass. Bytes that are no frames end
 * the reading, never the connection.
 */
export class WebSocketReader {
  readonly #from: Frame['from']
  readonly #sink: FrameSink
  #held = noBytes
  #isBroken = false
  /** Of the frame whose payload is read. */
  #remaining = 0
  #isEmptyFrame = false
  #mask: Buffer | undefined
  #offset = 0
  #control: Buffer[] = []
  #opcode = 0
  #isFinal = false
  /** Of the message that its frames make. */
  #type: FrameView['type'] = 'text'
  #size = 0
  #isDeflated = false
  #pieces: Buffer[] | undefined
  /** The end of what was inflated; undefined when messages were missed. */
  #window: Buffer | undefined = noBytes

  constructor(from: Frame['from'], sink: FrameSink) {
    this.#from = from
    this.#sink = sink
  }

  readonly read = (bytes: Buffer): void => {
    if (this.#isBroken) return
    let at = 0
    while (at < bytes.length || this.#isEmptyFrame) {
      if (this.#remaining > 0 || this.#isEmptyFrame) at = this.#readPayload(bytes, at)
      else {
        const head =
          this.#held.length === 0
            ? bytes.subarray(at, at + 14)
            : Buffer.concat([this.#held, bytes.subarray(at, at + 14)])
        const length = this.#readHead(head)
        if (this.#isBroken) return
        if (length === 0) {
          this.#held = Buffer.from(head)
          return
        }
        at += length - this.#held.length
        this.#held = noBytes
      }
    }
  }

  /** Returns the length of the head; 0 where bytes of it are missing. */
  #readHead(head: Buffer): number {
    if (head.length < 2) return 0
    const [first = 0, second = 0] = head
    const short = second & 127
    const extended = short === 126 ? 2 : short === 127 ? 8 : 0
    const masked = (second & 128) !== 0
    const length = 2 + extended + (masked ? 4 : 0)
    if (head.length < length) return 0
    const size = short === 126 ? head.readUInt16BE(2) : short === 127 ? Number(head.readBigUInt64BE(2)) : short
    this.#opcode = first & 15
    this.#isFinal = (first & 128) !== 0
    const isKnown = this.#opcode === 0 || types[this.#opcode] !== undefined
    // Control frames are kept whole, so none that is longer than allowed.
    const isTooLong = this.#isControl && (size > controlLimit || !this.#isFinal)
    this.#isBroken = (first & 0x30) !== 0 || !isKnown || isTooLong
    this.#remaining = size
    this.#isEmptyFrame = size === 0
    this.#offset = 0
    this.#mask = masked ? Buffer.from(head.subarray(length - 4, length)) : undefined
    if (this.#isControl) this.#control = []
    else if (this.#opcode !== 0) this.#begin(first)
    return length
  }

  /** A control frame may stand between the frames of a message. */
  get #isControl(): boolean {
    return this.#opcode >= 8
  }

  #begin(first: number): void {
    this.#type = types[this.#opcode] ?? 'binary'
    this.#size = 0
    this.#isDeflated = (first & 64) !== 0
    this.#pieces = this.#sink.isWanted() ? [] : undefined
  }

  #readPayload(bytes: Buffer, at: number): number {
    const take = Math.min(this.#remaining, bytes.length - at)
    const isKept = this.#isControl || (this.#pieces !== undefined && this.#size < frameLimits.bytes)
    if (isKept && take > 0) {
      const piece = this.#unmask(bytes.subarray(at, at + take))
      ;(this.#isControl ? this.#control : this.#pieces)?.push(piece)
    }
    if (!this.#isControl) this.#size += take
    this.#offset += take
    this.#remaining -= take
    if (this.#remaining === 0) {
      this.#isEmptyFrame = false
      if (this.#isControl) this.#addControl()
      else if (this.#isFinal) this.#addMessage()
    }
    return at + take
  }

  #unmask(bytes: Buffer): Buffer {
    const piece = Buffer.from(bytes)
    const mask = this.#mask
    if (mask !== undefined)
      for (let i = 0; i < piece.length; i++) piece[i] = (piece[i] ?? 0) ^ (mask[(this.#offset + i) & 3] ?? 0)
    return piece
  }

  #addControl(): void {
    const data = Buffer.concat(this.#control)
    const type = types[this.#opcode] ?? 'binary'
    if (this.#sink.isWanted()) this.#add({ type, size: data.length, data, note: null })
  }

  #addMessage(): void {
    const pieces = this.#pieces
    this.#pieces = undefined
    const { type, size } = { type: this.#type, size: this.#size }
    if (pieces === undefined || size > frameLimits.bytes) {
      this.#window = undefined
      if (pieces === undefined) this.#sink.frames.miss()
      else this.#add({ type, size, data: undefined, note: 'larger than 64 KB: not kept' })
      return
    }
    const data = Buffer.concat(pieces)
    if (!this.#isDeflated) return void this.#add({ type, size, data, note: null })
    const inflated = this.#inflate(data)
    if (inflated !== undefined) this.#add({ type, size, data: inflated, note: null })
    else this.#add({ type: 'binary', size, data, note: 'compressed, and messages before it were not recorded' })
  }

  #inflate(data: Buffer): Buffer | undefined {
    try {
      const dictionary = this.#window ?? noBytes
      const inflated = inflateRawSync(Buffer.concat([data, flushed]), {
        finishFlush: constants.Z_SYNC_FLUSH,
        maxOutputLength: 16 * frameLimits.bytes,
        ...(dictionary.length > 0 ? { dictionary } : {}),
      })
      this.#window = Buffer.concat([dictionary, inflated]).subarray(-windowSize)
      return inflated
    } catch {
      return undefined
    }
  }

  #add(frame: Omit<Frame, 'time' | 'from'>): void {
    this.#sink.frames.add({ ...frame, time: Date.now(), from: this.#from })
    this.#sink.changed()
  }
}
