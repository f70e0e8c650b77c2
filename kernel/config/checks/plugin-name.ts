const prefix = 'locald-plugin-'

/**
 * Returns the package that a name in a `[plugins]` table means: `redis` is `locald-plugin-redis`; a scoped or full name
 * is kept.
 */
export function packageOf(name: string): string {
  return name.startsWith('@') || name.startsWith(prefix) ? name : `${prefix}${name}`
}

/** Returns a package's name without the common prefix; undefined for a package without it. */
export function shortNameOf(name: string): string | undefined {
  return name.startsWith(prefix) ? name.slice(prefix.length) : undefined
}
