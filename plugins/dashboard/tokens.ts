import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'

/** A token as it is stored: who reads this cannot use it. */
export interface StoredToken {
  /** SHA-256, hexadecimal. */
  readonly hash: string
  /** Date.now() */
  readonly createdAt: number
}

/** How many tokens are valid at once, and for how long. */
export interface TokenLimits {
  readonly count: number
  /** Random bytes of each. */
  readonly bytes: number
  /** ms */
  readonly life: number
}

/** Random tokens of which only hashes are kept. The oldest makes room for a new one. */
export class TokenSet {
  readonly #limits: TokenLimits
  readonly #now: () => number
  #stored: readonly StoredToken[]

  constructor(limits: TokenLimits, stored: readonly StoredToken[] = [], now: () => number = Date.now) {
    this.#limits = limits
    this.#stored = stored
    this.#now = now
  }

  /** Returns the valid ones, oldest first. */
  get stored(): readonly StoredToken[] {
    // One from the future is of a clock that was wrong: it would never expire.
    const now = this.#now()
    return this.#stored.filter(({ createdAt }) => createdAt <= now && now - createdAt < this.#limits.life)
  }

  /** Makes a token. */
  create(): string {
    const token = randomBytes(this.#limits.bytes).toString('base64url')
    const entry = { hash: hashOf(token).toString('hex'), createdAt: this.#now() }
    this.#stored = [...this.stored, entry].slice(-this.#limits.count)
    return token
  }

  has(token: string): boolean {
    return this.#find(token) !== undefined
  }

  /** Removes a token; returns whether it was valid. */
  take(token: string): boolean {
    const found = this.#find(token)
    if (found !== undefined) this.#stored = this.#stored.filter(each => each !== found)
    return found !== undefined
  }

  /** Compares with all of them, in constant time each: how long it takes says nothing about any. */
  #find(token: string): StoredToken | undefined {
    const hash = hashOf(token)
    let found: StoredToken | undefined
    for (const each of this.stored) {
      const known = Buffer.from(each.hash, 'hex')
      if (known.length === hash.length && timingSafeEqual(known, hash)) found = each
    }
    return found
  }
}

function hashOf(token: string): Buffer {
  return createHash('sha256').update(token).digest()
}
