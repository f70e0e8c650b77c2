import { closeSync, openSync, writeSync } from 'node:fs'

/** The wall clock of the soak's mount namespace: `clock.c` adds the offset in a file, which is read at each look. */
export class Clock {
  readonly #file: string
  #offset = 0

  constructor(file: string) {
    this.#file = file
  }

  /** Seconds by which the clock is ahead of the machine's. */
  get offset(): number {
    return this.#offset
  }

  /** Sets it to so many seconds ahead of the machine's. */
  set(seconds: number): void {
    const bytes = Buffer.alloc(8)
    bytes.writeBigInt64LE(BigInt(seconds))
    // Not truncated: programs have the file mapped.
    const file = openSync(this.#file, 'r+')
    writeSync(file, bytes, 0, bytes.length, 0)
    closeSync(file)
    this.#offset = seconds
  }
}
