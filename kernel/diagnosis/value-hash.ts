import { createHmac, randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { readText, writeAtomic } from '../system/files.ts'

/** Hexadecimal digits of a hash: enough to notice a change, too few to be a digest of a secret elsewhere. */
const digits = 16
const keyPattern = /^[0-9a-f]{64}$/

/** Hashes a value, so that only a change of it can be noticed. */
export type HashValue = (value: string) => string

/**
 * Hashes values with a key of this data folder, so that a record shows only whether a value has changed: without the
 * key no one can try out guesses.
 */
export class ValueHash {
  readonly #file: string
  #key: string | undefined

  constructor(folder: string) {
    this.#file = join(folder, 'key')
  }

  /** Hashes a value. Throws the system's errors where the key can be neither read nor written. */
  readonly of: HashValue = value => {
    this.#key ??= this.#readKey() ?? this.#makeKey()
    return createHmac('sha256', this.#key).update(value).digest('hex').slice(0, digits)
  }

  #readKey(): string | undefined {
    try {
      const key = readText(this.#file).trim()
      return keyPattern.test(key) ? key : undefined
    } catch {
      return undefined
    }
  }

  #makeKey(): string {
    const key = randomBytes(32).toString('hex')
    writeAtomic(this.#file, key, { mode: 0o600 })
    return key
  }
}
