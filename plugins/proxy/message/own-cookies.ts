import { hostName, isOwnName } from './host-name.ts'

/** What all cookies of the dashboard have before their value. */
export const ownCookieMark = 'locald='
/** Those cookies: its sessions. */
const ownCookies = ['locald=', '__Host-locald=']

/**
 * Returns a Cookie header for a service, without the sessions of the dashboard: a client may send them with a service's
 * name, as cookies of `localhost` belong to all of its ports. Undefined: nothing is left. @param host of the request
 */
export function cookieFor(host: string, cookie: string): string | undefined {
  if (!cookie.includes(ownCookieMark) || isOwnName(hostName(host) ?? '')) return cookie
  const kept = cookie.split(';').filter(pair => !ownCookies.some(own => pair.trimStart().startsWith(own)))
  return kept.length === 0 ? undefined : kept.join(';').trim()
}
