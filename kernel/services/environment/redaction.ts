import { mask, maskUrls, spellingsOf } from '../../lib/secrets.ts'
import { maskByForm } from './secret-patterns.ts'

/** A shorter line of a secret stands in too many texts that have nothing to do with it. */
const shortestLine = 6
/** Of a shorter one too few characters of base64 are its own: bytes. */
const shortestEncoded = 9
/** What may be base64 of a secret. */
const base64Run = /[\w+/-]{11,}/g

/** Masks secrets in texts for other people. */
export class Redaction {
  readonly #words: readonly string[]
  readonly #encoded: readonly string[]

  /** @param secrets all values that no text may have; of several lines, none of their lines */
  constructor(secrets: readonly string[]) {
    const lines = secrets
      .flatMap(secret => [secret, ...secret.split('\n').map(line => line.trim())])
      .filter(line => line.length >= shortestLine)
    this.#words = longestFirst(lines.flatMap(spellingsOf))
    this.#encoded = longestFirst(lines.flatMap(base64Of))
  }

  text(text: string): string {
    const known = this.#words.reduce((rest, word) => rest.replaceAll(word, mask), text)
    const decoded =
      this.#encoded.length === 0
        ? known
        : known.replace(base64Run, run => this.#encoded.reduce((rest, word) => rest.replaceAll(word, mask), run))
    return maskByForm(maskUrls(decoded))
  }

  /** Returns a JSON value with all its texts redacted, keys as well. */
  value(value: unknown): unknown {
    if (typeof value === 'string') return this.text(value)
    if (Array.isArray(value)) return value.map(each => this.value(each))
    if (typeof value !== 'object' || value === null) return value
    return Object.fromEntries(Object.entries(value).map(([key, each]) => [this.text(key), this.value(each)]))
  }
}

/** One may be a part of another. */
function longestFirst(words: readonly string[]): readonly string[] {
  return [...new Set(words)].toSorted((a, b) => b.length - a.length)
}

/**
 * Returns the characters of base64 that a value has in a longer text, for each of the three places at which it may
 * begin there: those that also depend on its neighbours are left out.
 */
function base64Of(value: string): readonly string[] {
  if (Buffer.byteLength(value) < shortestEncoded) return []
  return [0, 1, 2].flatMap(before => {
    const bytes = Buffer.concat([Buffer.alloc(before), Buffer.from(value)])
    const text = bytes.toString('base64').replace(/=+$/, '')
    const own = text.slice(before === 0 ? 0 : before + 1, bytes.length % 3 === 0 ? undefined : -1)
    return [own, own.replaceAll('+', '-').replaceAll('/', '_')]
  })
}
