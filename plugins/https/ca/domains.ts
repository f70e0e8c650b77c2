/** Names the CA always may vouch for: none of them can be anybody else's (RFC 6761). Below `internal` companies and clouds have names. */
export const ownDomains: readonly string[] = ['localhost', 'test']

const label = /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/

/** Whether a name, in lower case, is a DNS name of at most 253 characters. */
export function isName(name: string): boolean {
  return name.length <= 253 && name.split('.').every(part => label.test(part))
}

/** Whether a name, in lower case, is one of the domains or below one. */
export function isUnder(name: string, domains: readonly string[]): boolean {
  return isName(name) && domains.some(domain => name === domain || name.endsWith(`.${domain}`))
}

/** The domains the CA is limited to, sorted: its own and those of the user. A string says what is wrong with one of them. */
export function constrainDomains(requested: readonly string[]): readonly string[] | string {
  const domains = new Set(ownDomains)
  for (const name of requested) {
    const domain = name.toLowerCase().replace(/^\*?\./, '')
    if (!isName(domain)) return `'${name}' is not a domain name`
    // A whole top-level domain would be most of what a name constraint is there to prevent.
    if (!domain.includes('.') && !domains.has(domain)) return `'${name}' is a top-level domain; name one below it`
    domains.add(domain)
  }
  return [...domains].sort()
}
