import { isSecretName, isSecretParameter, mask, maskUrls, spellingsOf } from '../../../../kernel/contract/plugin.ts'

const parameter = /(^|[?&;\s])([\w.[\]%-]{1,64})=([^&#\s"'<>;]+)/g
/** A field of a form with files (RFC 7578), with the other headers of its part. */
const formField = /(;[ \t]*name="([^"\r\n]{1,64})"[^\r\n]*(?:\r\n[^\r\n]{1,1024}){0,8}\r\n\r\n)([^\r\n]+)/g
const jsonField = /("([\w.-]{1,64})"\s*:\s*)"(?:[^"\\]|\\.)*"/g

/** Hides secrets in what is shown and exported. */
export class Masker {
  readonly #values: RegExp | undefined
  readonly #isOff: boolean
  readonly #shown: string

  /**
   * @param secrets values to hide wherever they stand @param isOff whether nothing is hidden @param shown what stands in
   * their place
   */
  constructor(secrets: readonly string[], { isOff = false, shown = mask } = {}) {
    this.#isOff = isOff
    this.#shown = shown
    const variants = new Set(secrets.flatMap(spellingsOf))
    const longestFirst = [...variants].sort((one, other) => other.length - one.length).map(escapePattern)
    this.#values = longestFirst.length === 0 ? undefined : new RegExp(longestFirst.join('|'), 'g')
  }

  /** Hides secrets in a text. */
  text(text: string): string {
    if (this.#isOff) return text
    return this.#hideValues(text)
      .replace(jsonField, (all, before: string, name: string) =>
        isSecretName(name) ? `${before}"${this.#shown}"` : all,
      )
      .replace(formField, (all, before: string, name: string) =>
        isSecretParameter(name) ? `${before}${this.#shown}` : all,
      )
      .replace(parameter, this.#hideParameter)
  }

  /** Whether bytes that are no text, in which nothing can be hidden, have secrets. */
  finds(bytes: Buffer): boolean {
    const text = this.#isOff ? '' : bytes.toString()
    return text !== this.text(text)
  }

  /** Hides the values of secret parameters in a path or URL. */
  path(path: string): string {
    if (this.#isOff) return path
    return this.#hideValues(path).replace(parameter, this.#hideParameter)
  }

  header(name: string, value: string): string {
    if (this.#isOff) return value
    const key = name.toLowerCase()
    if (key === 'cookie') return value.replace(/=[^;]*/g, `=${this.#shown}`)
    if (key === 'set-cookie') return value.replace(/^([^=;]*=?)[^;]*/, `$1${this.#shown}`)
    if (key === 'authorization' || key === 'proxy-authorization')
      return /^[\w-]+ \S/.test(value) ? `${value.slice(0, value.indexOf(' '))} ${this.#shown}` : this.#shown
    return isSecretName(name) ? this.#shown : this.path(value)
  }

  readonly #hideParameter = (all: string, before: string, name: string): string =>
    isSecretParameter(name) ? `${before}${name}=${this.#shown}` : all

  /** Hides known secrets, and passwords in URLs. */
  #hideValues(text: string): string {
    const known = this.#values === undefined ? text : text.replace(this.#values, this.#shown)
    return maskUrls(known, this.#shown)
  }
}

function escapePattern(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&')
}
