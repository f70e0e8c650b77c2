import { stat } from 'node:fs/promises'
import type { Log } from '../../kernel/contract/plugin.ts'
import { messageOf } from '../../kernel/errors.ts'
import { readJson, writeAtomic } from '../lib/files.ts'
import { fieldOf, isRecord } from '../lib/json.ts'
import { type StoredToken, TokenSet } from './tokens.ts'

const dayMs = 86_400_000
/** Browsers and profiles of one person. */
const sessionLimits = { count: 64, bytes: 32, life: 30 * dayMs } as const
/** A file with more bytes than any of this many sessions is not read. */
const fileLimit = 1024 * 1024
/** Each `up` in a terminal makes a token; it is short, so that its URL fits into 80 columns. */
const signInLimits = { count: 128, bytes: 16, life: dayMs } as const

/**
 * Who may use the dashboard: a browser gets a session for a token, which is valid once. Sessions survive the daemon,
 * tokens do not.
 */
export class Sessions {
  readonly #file: string
  readonly #log: Log
  readonly #tokens: TokenSet
  #sessions: TokenSet

  private constructor(file: string, log: Log, stored: readonly StoredToken[], now: () => number) {
    this.#file = file
    this.#log = log
    this.#sessions = new TokenSet(sessionLimits, stored, now)
    this.#tokens = new TokenSet(signInLimits, [], now)
  }

  /** Reads the sessions of the last daemon; none where the file is missing or corrupt. @param now tests set the time */
  static async open(file: string, log: Log, now: () => number = Date.now): Promise<Sessions> {
    const { size } = await stat(file).catch(() => ({ size: 0 }))
    const list = size > fileLimit ? [] : fieldOf(await readJson(file), 'sessions')
    const stored = Array.isArray(list) ? list.filter(isStored) : []
    return new Sessions(file, log, stored, now)
  }

  /** Makes a token for one sign-in within 24 hours. */
  createToken(): string {
    return this.#tokens.create()
  }

  /** Exchanges a token for a session, which is valid for 30 days; undefined for a token that is not valid. */
  signIn(token: string): string | undefined {
    if (!this.#tokens.take(token)) return undefined
    const session = this.#sessions.create()
    this.#save()
    return session
  }

  /** Removes a session: its browser is not signed in any more. */
  signOut(session: string): void {
    if (this.#sessions.take(session)) this.#save()
  }

  has(session: string): boolean {
    return this.#sessions.has(session)
  }

  #save(): void {
    try {
      writeAtomic(this.#file, `${JSON.stringify({ sessions: this.#sessions.stored })}\n`, { mode: 0o600 })
    } catch (error) {
      this.#log.warn(`sessions of the dashboard are lost when the daemon stops: ${messageOf(error)}`)
    }
  }
}

/** The life of a session, in seconds, for its cookie. */
export const sessionSeconds = sessionLimits.life / 1000

function isStored(value: unknown): value is StoredToken {
  return isRecord(value) && typeof value['hash'] === 'string' && typeof value['createdAt'] === 'number'
}
