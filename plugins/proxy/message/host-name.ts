/** The names of locald itself, under which no service is. */
const ownNames: ReadonlySet<string> = new Set(['localhost', '127.0.0.1', '[::1]', 'locald.localhost'])

/** Returns the name in a Host header: lower case, no port, no trailing dot; undefined when invalid. */
export function hostName(host: string): string | undefined {
  const match = /^(\[[0-9a-f:.]{2,45}\]|[a-z0-9_-]+(?:\.[a-z0-9_-]+)*\.?)(?::(\d{0,5}))?$/i.exec(host)
  const name = match?.[1]
  if (name === undefined || name.length > 254 || Number(match?.[2] ?? 0) > 65_535) return undefined
  return (name.endsWith('.') ? name.slice(0, -1) : name).toLowerCase()
}

/** Returns whether a name, as `hostName` returns it, is one of locald itself. */
export function isOwnName(name: string): boolean {
  return ownNames.has(name)
}
