import type { LocaldEvent, ServiceView } from '../../kernel/events.ts'
import type { DoctorAnswer, ServerStatus } from '../../kernel/protocol.ts'
import type { Client } from '../daemon/client.ts'

/** The checks of stores that browsers look into; one that is not there is skipped. */
const stores = ['trust-system', 'trust-chromium', 'trust-firefox']

/** What a person who opens a URL of a service will meet. */
export interface Browsing {
  /** Whether a store trusts the local CA, or there is none to be trusted. */
  readonly isTrusted: boolean
  /** The proxy's port without TLS. */
  readonly http: number | null
}

/** Whether an event is of a service that a browser warns about while the CA is not trusted. */
export function isBrowsed(event: LocaldEvent): boolean {
  return event.event === 'service' && isSecure(event.service)
}

function isSecure({ url }: ServiceView): boolean {
  return url?.startsWith('https:') === true
}

/** Asks the daemon; undefined where it does not say: that is no reason to fail. */
export async function askBrowsing(daemon: Client): Promise<Browsing | undefined> {
  try {
    const [{ checks }, { http }] = await Promise.all([
      daemon.get<DoctorAnswer>('/v1/doctor', { check: stores }),
      daemon.get<ServerStatus>('/v1/server'),
    ])
    const isTrusted = checks.some(({ status }) => status === 'pass') || checks.every(({ status }) => status === 'skip')
    return { isTrusted, http }
  } catch {
    return undefined
  }
}

/** What to say of URLs that browsers warn about until the CA is trusted; undefined: nothing. */
export function trustHint(services: readonly ServiceView[], browsing: Browsing | undefined): string | undefined {
  const hosts = services.filter(isSecure).map(({ url }) => new URL(url ?? '').hostname)
  // The project's own domain is the shortest: the others are below it.
  const [host] = hosts.toSorted((a, b) => a.length - b.length)
  if (host === undefined || browsing === undefined || browsing.isTrusted) return undefined
  const port = browsing.http === 80 ? '' : `:${browsing.http}`
  const plain = browsing.http === null ? '' : `; http://${host}${port} works without`
  return `Browsers will warn until \`locald trust\`${plain}`
}
