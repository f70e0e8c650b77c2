import { isSecretVariable, mask, maskUrls } from '../../lib/secrets.ts'

/** Shorter values occur in others by chance, in UTF-16 units. */
const shortestSecret = 6

/** Values that everyone knows. */
const common = /^(?:development|production|staging|localhost|default|password|secret|changeme|\d{1,7})$/i

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

/** Whether a value is too short or too common to be hidden: it stands in texts that have nothing to do with it. */
export function isGuessable(value: string): boolean {
  return value.length < shortestSecret || common.test(value)
}

/** Returns the password of a URL, as written and decoded; none of any other text. */
export function passwordsIn(value: string): readonly string[] {
  const password = URL.canParse(value) ? new URL(value).password : ''
  if (password === '') return []
  try {
    return [password, decodeURIComponent(password)]
  } catch {
    return [password]
  }
}

/** Returns the secrets of an environment: the values of secret names, and the passwords of URLs. */
export function secretsOf(env: Readonly<Record<string, string>>): readonly string[] {
  const values = Object.entries(env).flatMap(([name, value]) => [
    ...(isSecretVariable(name) ? [value] : []),
    ...passwordsIn(value),
  ])
  return values.filter(value => !isGuessable(value))
}
