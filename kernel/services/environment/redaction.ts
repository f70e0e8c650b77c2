import { isSecretParameter, mask, maskUrls } from '../../lib/secrets.ts'

/** A shorter line of a secret stands in too many texts that have nothing to do with it. */
const shortestLine = 6
/** Credentials in a header, and parameters of a URL, that a text quotes. */
const credentials = /\b(Bearer|Basic)\s+[\w.~+/=-]{6,}/gi
const parameter = /([?&])([\w.[\]%-]{1,64})=[^&\s"']+/g

/** Masks secrets in texts for other people. */
export class Redaction {
  readonly #words: readonly string[]

  /** @param secrets all values that no text may have; of several lines, none of their lines */
  constructor(secrets: readonly string[]) {
    const lines = secrets.flatMap(secret => [secret, ...secret.split('\n').map(line => line.trim())])
    const spellings = lines
      .filter(line => line.length >= shortestLine)
      .flatMap(line => [line, encodeURIComponent(line)])
    // The longest first: one may be a part of another.
    this.#words = [...new Set(spellings)].toSorted((a, b) => b.length - a.length)
  }

  text(text: string): string {
    const known = this.#words.reduce((rest, word) => rest.replaceAll(word, mask), text)
    return maskUrls(known)
      .replace(credentials, `$1 ${mask}`)
      .replace(parameter, (all, before: string, name: string) =>
        isSecretParameter(name) ? `${before}${name}=${mask}` : all,
      )
  }

  /** Returns a JSON value with all its texts redacted, keys as well. */
  value(value: unknown): unknown {
    if (typeof value === 'string') return this.text(value)
    if (Array.isArray(value)) return value.map(each => this.value(each))
    if (typeof value !== 'object' || value === null) return value
    return Object.fromEntries(Object.entries(value).map(([key, each]) => [this.text(key), this.value(each)]))
  }
}
