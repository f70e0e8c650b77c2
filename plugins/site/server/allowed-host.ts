import { isIP } from 'node:net'

/**
 * Whether a request names a host of this machine or of the project: a page of the internet whose name leads to
 * 127.0.0.1 reads nothing (DNS rebinding). A missing host is no browser's.
 */
export function isAllowedHost(host: string | undefined, domain: string): boolean {
  const name = (host ?? '')
    .toLowerCase()
    .replace(/:\d*$/, '')
    .replace(/^\[(.*)\]$/, '$1')
    .replace(/\.$/, '')
  return (
    name === '' || isIP(name) !== 0 || ['localhost', domain].some(each => name === each || name.endsWith(`.${each}`))
  )
}
