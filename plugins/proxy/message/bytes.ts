/** Tables and readers of bytes, for the heads of requests and responses. All offsets are into the given buffer. */

export const cr = 13
export const lf = 10
export const space = 32
export const colon = 58
export const slash = 47

/** 1: allowed in a token, such as a field's name (RFC 9110 section 5.6.2). */
export const tokenByte: Uint8Array = tableOf(
  "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ",
)
/** 1: allowed in a field's value: HTAB, SP, VCHAR, obs-text (RFC 9110 section 5.5). */
export const valueByte: Uint8Array = Uint8Array.from({ length: 256 }, (_, byte) =>
  byte === 9 || (byte >= 32 && byte !== 127) ? 1 : 0,
)
/** 1: allowed in a request target of the narrow grammar: VCHAR without `#`. */
export const targetByte: Uint8Array = Uint8Array.from({ length: 256 }, (_, byte) =>
  byte > 32 && byte < 127 && byte !== 35 ? 1 : 0,
)

function tableOf(characters: string): Uint8Array {
  const table = new Uint8Array(256)
  for (let i = 0; i < characters.length; i++) table[characters.charCodeAt(i)] = 1
  return table
}

/** Whether the bytes from `at` are a word (given in lower case), ignoring case. */
export function isWord(buffer: Buffer, at: number, word: string): boolean {
  for (let i = 0; i < word.length; i++) {
    const byte = buffer[at + i] ?? 0
    const lower = byte >= 65 && byte <= 90 ? byte | 32 : byte
    if (lower !== word.charCodeAt(i)) return false
  }
  return true
}

/** Offsets of the fields of a head: of each name, value and line. */
export class Fields {
  /** nameStart, nameEnd, valueStart, valueEnd, lineEnd of each field. */
  readonly marks: Int32Array
  count = 0
  readonly #max: number

  constructor(max: number) {
    this.#max = max
    this.marks = new Int32Array(max * 5)
  }

  /**
   * Reads fields from `at` to the empty line. Returns the offset after it; `more` when the bytes end before; `faulty`
   * when they violate the narrow grammar: a name, directly followed by a colon, a value, CR LF; no folded lines.
   */
  read(buffer: Buffer, at: number, end: number): number {
    this.count = 0
    let i = at
    for (;;) {
      if (i >= end) return more
      const start = i
      if (buffer[i] === cr) {
        if (i + 1 >= end) return more
        return buffer[i + 1] === lf ? i + 2 : faulty
      }
      while (i < end && tokenByte[buffer[i] ?? 0] === 1) i++
      if (i >= end) return more
      if (i === start || buffer[i] !== colon) return faulty
      const nameEnd = i++
      while (i < end && (buffer[i] === space || buffer[i] === 9)) i++
      const valueStart = i
      while (i < end && valueByte[buffer[i] ?? 0] === 1) i++
      if (i + 1 >= end) return i < end && buffer[i] !== cr ? faulty : more
      if (buffer[i] !== cr || buffer[i + 1] !== lf) return faulty
      if (this.count === this.#max) return faulty
      let valueEnd = i
      while (valueEnd > valueStart && (buffer[valueEnd - 1] === space || buffer[valueEnd - 1] === 9)) valueEnd--
      i += 2
      const mark = this.count++ * 5
      this.marks[mark] = start
      this.marks[mark + 1] = nameEnd
      this.marks[mark + 2] = valueStart
      this.marks[mark + 3] = valueEnd
      this.marks[mark + 4] = i
    }
  }
}

/** More bytes are needed. */
export const more = -1
/** The bytes violate the narrow grammar. */
export const faulty = -2

/** Returns a decimal number of 1 to 15 digits; -1 for anything else. */
export function decimalOf(buffer: Buffer, start: number, end: number): number {
  if (end <= start || end - start > 15) return -1
  let value = 0
  for (let i = start; i < end; i++) {
    const digit = (buffer[i] ?? 0) - 48
    if (digit < 0 || digit > 9) return -1
    value = value * 10 + digit
  }
  return value
}
