import { type Sessions, sessionSeconds } from './sessions.ts'

/** How a client reaches the proxy. */
export type Scheme = 'http' | 'https'

/** Browsers accept a `__Host-` cookie only over HTTPS, from this very host, so that no other can set it. */
const names = { http: 'locald', https: '__Host-locald' } as const
/** Another service of the same name, on another port, can add cookies; not so many that each request is slow. */
const maxTries = 8

/** Returns whether a request's Cookie header has a valid session. */
export function hasSession(scheme: Scheme, cookie: string | undefined, sessions: Pick<Sessions, 'has'>): boolean {
  return sessionsIn(scheme, cookie).some(each => sessions.has(each))
}

/** Returns what may be sessions in a Cookie header. */
export function sessionsIn(scheme: Scheme, cookie: string | undefined): readonly string[] {
  if (cookie === undefined) return []
  const start = `${names[scheme]}=`
  const pairs = cookie.split(';').map(pair => pair.trim())
  return pairs.flatMap(pair => (pair.startsWith(start) ? [pair.slice(start.length)] : [])).slice(0, maxTries)
}

/** Returns the Set-Cookie header of a session. */
export function sessionCookie(scheme: Scheme, session: string): string {
  return cookieOf(scheme, session, sessionSeconds)
}

/** Returns the Set-Cookie header that removes a session from the browser. */
export function expiredCookie(scheme: Scheme): string {
  return cookieOf(scheme, '', 0)
}

function cookieOf(scheme: Scheme, value: string, seconds: number): string {
  const secure = scheme === 'https' ? '; Secure' : ''
  return `${names[scheme]}=${value}; Path=/; Max-Age=${seconds}; HttpOnly; SameSite=Strict${secure}`
}
