/** Stands for a secret where it is shown. */
export const mask = '••••'

/** A name that says that its value is a secret, such as `STRIPE_API_KEY`; not `SSH_AUTH_SOCK`, nor `KEYBOARD`. */
const secretName =
  /TOKEN|SECRET|PASSW(?:OR)?D|PASSPHRASE|CREDENTIAL|API_?KEY|(?:^|_)PASS(?:$|_)|(?:^|_)(?:AUTH|DSN)$|(?:^|_)KEYS?(?:$|_)|[A-Z]KEY$/i

/** The password of a URL, such as `redis://app:word@localhost`. */
const urlPassword = /([a-z][a-z0-9+.-]*:\/\/[^\s/:@?#]*:)([^\s/@]+)(?=@)/gi

/** Shorter values occur in others by chance, in UTF-16 units. */
const shortestSecret = 6

/** A variable to show. */
export interface ShownVariable {
  readonly name: string
  readonly value: string
  /** Whether a `.env` file sets it: what is kept out of the repository is a secret. */
  readonly isOfEnvFile: boolean
}

/** Whether the value of a variable of this name is a secret. */
export function isSecretName(name: string): boolean {
  return secretName.test(name)
}

/** Masks the passwords of URLs in a text. */
export function maskUrls(text: string): string {
  return text.replace(urlPassword, `$1${mask}`)
}

/**
 * Returns the values to show in place of secret ones, by name; a variable without a secret has none. Masked are values
 * from `.env` files or of a secret name, and in all others the passwords of URLs and the values of secret names.
 */
export function maskedValues(variables: readonly ShownVariable[]): ReadonlyMap<string, string> {
  const words = variables.filter(({ name, value }) => isSecretName(name) && value.length >= shortestSecret)
  const masked = new Map<string, string>()
  for (const { name, value, isOfEnvFile } of variables) {
    if (value === '') continue
    const text = words.reduce((rest, word) => rest.replaceAll(word.value, mask), maskUrls(value))
    if (isOfEnvFile || isSecretName(name)) masked.set(name, mask)
    else if (text !== value) masked.set(name, text)
  }
  return masked
}
