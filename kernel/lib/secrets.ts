/** Stands for a secret where it is shown. */
export const mask = '••••'

/** Words that make a name that of a secret wherever they stand, alone or at the end of another word: `PGPASSWORD`. */
const secretWord = /(?:token|secret|password|passwd|passphrase|credential|apikey|accesskey|privatekey)s?\d*$/
/** Words that do so at the end of a name. */
const lastWord =
  /(?:^|_)(?:pass|pwd|jwt|otp|sig|signature|auth|authorization|dsn|cookie|session_?id|(?:api|access|private|secret|signing|encryption|master|license|shared|session)_keys?)$/
/** Names that only describe a secret. */
const description = /_(?:type|count|length|limit|ttl|expiry|expires|in|at)$/
/** A word of a variable's name: what ends with KEY is a secret, `KEYBOARD` and `key` of a JSON field are not. */
const keyWord = /(?:^|_)keys?(?:_|$)|[a-z]key$/
/** The shell's own. */
const folders = new Set(['pwd', 'oldpwd'])

/**
 * The password of a URL, such as `redis://app:word@localhost`. Each part is bounded: a text of megabytes must not take
 * the square of its length.
 */
const urlPassword = /((?<=[a-z0-9+.-]):\/\/[^\s/:@?#]{0,256}:)([^\s/@]{1,1024})(?=@)/gi

/** Whether the value of a header or field of this name is a secret, in any of the usual spellings. */
export function isSecretName(name: string): boolean {
  const words = wordsOf(name)
  if (lastWord.test(words)) return true
  return words.split('_').some(word => secretWord.test(word)) && !description.test(words)
}

/** Whether the value of a variable or of a key of a configuration is a secret: also `KEY` and `STRIPE_KEY`. */
export function isSecretVariable(name: string): boolean {
  const words = wordsOf(name)
  return !folders.has(words) && (isSecretName(name) || keyWord.test(words))
}

/** Whether the value of a parameter in a URL or a form is a secret: also the `code` by which one signs in. */
export function isSecretParameter(name: string): boolean {
  return name.toLowerCase() === 'code' || isSecretName(name)
}

/** Masks the passwords of URLs in a text. */
export function maskUrls(text: string, shown = mask): string {
  return text.replace(urlPassword, (_, before: string) => `${before}${shown}`)
}

/** Returns a value as it stands in texts, URLs, forms and JSON. */
export function spellingsOf(value: string): readonly string[] {
  const encoded = encodeURIComponent(value)
  return [...new Set([value, encoded, encoded.replaceAll('%20', '+'), JSON.stringify(value).slice(1, -1)])]
}

/** Returns a name's words in lower case, `_` between them: `user[apiKey]`, `X-Api-Key` and `API_KEY` are alike. */
function wordsOf(name: string): string {
  return name
    .replace(/%[0-9a-f]{2}/gi, '_')
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .replace(/([A-Z])([A-Z][a-z])/g, '$1_$2')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '_')
    .replace(/^_|_$/g, '')
}
