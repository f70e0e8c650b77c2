import { isSecretVariable, mask, maskUrls } from '../../contract/secrets.ts'

/** Shorter values occur in others by chance, in UTF-16 units. */
const shortestSecret = 6

/** A variable to show. */
export interface ShownVariable {
  readonly name: string
  readonly value: string
  /** Whether a `.env` file sets it: what is kept out of the repository is a secret. */
  readonly isOfEnvFile: boolean
}

/**
 * Returns the values to show in place of secret ones, by name; a variable without a secret has none. Masked are values
 * from `.env` files or of a secret name, and in all others the passwords of URLs and the values of secret names.
 */
export function maskedValues(variables: readonly ShownVariable[]): ReadonlyMap<string, string> {
  const words = variables.filter(({ name, value }) => isSecretVariable(name) && value.length >= shortestSecret)
  const masked = new Map<string, string>()
  for (const { name, value, isOfEnvFile } of variables) {
    if (value === '') continue
    const text = words.reduce((rest, word) => rest.replaceAll(word.value, mask), maskUrls(value))
    if (isOfEnvFile || isSecretVariable(name)) masked.set(name, mask)
    else if (text !== value) masked.set(name, text)
  }
  return masked
}
