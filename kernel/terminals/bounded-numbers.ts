const [esc, bracket, del, cancel, substitute] = [0x1b, 0x5b, 0x7f, 0x18, 0x1a]
/** U+009B, which begins a control sequence, too, in UTF-8. */
const [lead, c1] = [0xc2, 0x9b]
/** Digits of a number: a count or a position, which no terminal here can exceed. */
const digitLimit = 3
/** Those of a mode, such as `?1049`. */
const modeDigitLimit = 5
/** The last bytes of sequences that insert, delete or scroll lines, which is slow: their counts have a digit less. */
const slow: ReadonlySet<number> = new Set(Buffer.from('LMST'))

/**
 * Bounds the numbers in control sequences, as emulators take them for counts of loops: `CSI 2147483647 I` would keep the
 * daemon and each browser busy for a minute. A byte stays a byte: superfluous digits become DEL, which is ignored there.
 */
export class BoundedNumbers {
  #last = 0
  #isWithin = false
  #limit = digitLimit
  #digits = 0

  /** Returns the next bytes, bounded; the same ones where nothing was to change. */
  bound(bytes: Buffer): Buffer {
    if (!this.#isWithin && this.#last !== esc && this.#last !== lead && !mayBegin(bytes)) {
      this.#last = bytes.at(-1) ?? this.#last
      return bytes
    }
    const bounded = Buffer.from(bytes)
    let longest = -1
    for (const [index, byte] of bytes.entries()) {
      const [digits, wasWithin] = [this.#digits, this.#isWithin]
      this.#read(byte)
      if (!this.#isWithin) {
        if (wasWithin && longest >= 0 && slow.has(byte)) bounded[longest] = del
        longest = -1
      } else if (this.#digits > digits) {
        if (this.#digits > this.#limit) bounded[index] = del
        else if (this.#digits === digitLimit) longest = index
      }
    }
    return bounded
  }

  #read(byte: number): void {
    const last = this.#last
    this.#last = byte
    if ((last === esc && byte === bracket) || (last === lead && byte === c1)) {
      this.#isWithin = true
      this.#limit = digitLimit
      this.#digits = 0
    } else if (this.#isWithin) this.#readWithin(byte)
  }

  #readWithin(byte: number): void {
    // Zeros at the start do not count.
    if (byte >= 0x30 && byte <= 0x39) this.#digits += byte === 0x30 && this.#digits === 0 ? 0 : 1
    // A colon or semicolon: the next number.
    else if (byte === 0x3a || byte === 0x3b) this.#digits = 0
    else if (byte >= 0x3c && byte <= 0x3f) this.#limit = modeDigitLimit
    else if ((byte >= 0x40 && byte < del) || [esc, cancel, substitute].includes(byte)) this.#isWithin = false
  }
}

function mayBegin(bytes: Buffer): boolean {
  return bytes.includes(esc) || bytes.includes(c1)
}
