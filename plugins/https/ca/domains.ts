/**
 * Domains that the CA always certifies: they are local on every machine (RFC 6761). Companies and clouds use names
 * below `internal`.
 */
export const ownDomains: readonly string[] = ['localhost', 'test']

const label = /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/

/** Returns whether a name, in lower case, is a DNS name of at most 253 characters. */
export function isName(name: string): boolean {
  return name.length <= 253 && name.split('.').every(part => label.test(part))
}

/** Returns whether a name, in lower case, is one of the domains or below one. */
export function isUnder(name: string, domains: readonly string[]): boolean {
  return isName(name) && domains.some(domain => name === domain || name.endsWith(`.${domain}`))
}

/**
 * Returns the domains that the CA is limited to, sorted: its own and those of the user. A string is the reason why one
 * is invalid.
 */
export function constrainDomains(requested: readonly string[]): readonly string[] | string {
  const domains = new Set(ownDomains)
  for (const name of requested) {
    const domain = name.toLowerCase().replace(/^\*?\./, '')
    if (!isName(domain)) return `'${name}' is not a domain name`
    // A whole top-level domain would defeat the name constraint.
    if (!domain.includes('.') && !domains.has(domain)) return `'${name}' is a top-level domain; name one below it`
    domains.add(domain)
  }
  return [...domains].sort()
}
