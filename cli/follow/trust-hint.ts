import type { LocaldEvent, ServiceView } from '../../kernel/events.ts'
import type { DoctorAnswer, ServerStatus } from '../../kernel/protocol.ts'
import type { Client } from '../daemon/client.ts'

/** The checks of trust stores that browsers use; a missing one is skipped. */
const stores = ['trust-system', 'trust-chromium', 'trust-firefox']

/** Whether a browser trusts the URL of a service, and which one works without. */
export interface BrowserTrust {
  /** Whether a store trusts the local CA, or there is no store. */
  readonly isTrusted: boolean
  /** The proxy's port without TLS. */
  readonly http: number | null
}

/** Whether an event is about a service with an HTTPS URL whose process has started. */
export function isStartedWithHttps(event: LocaldEvent): boolean {
  return event.event === 'service' && event.service.pid !== null && isSecure(event.service)
}

/** Whether a service has an HTTPS URL: browsers warn about it while the CA is not trusted. */
export function isSecure({ url }: ServiceView): boolean {
  return url?.startsWith('https:') === true
}

/** Asks the daemon; undefined on any error: that is no reason to fail. */
export async function askBrowserTrust(daemon: Client): Promise<BrowserTrust | undefined> {
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

/** Returns the scheme for the dashboard: `http` where a browser would warn about the other; undefined: the usual one. */
export async function dashboardScheme(
  daemon: Client,
  browsing: Promise<BrowserTrust | undefined> = askBrowserTrust(daemon),
): Promise<'http' | undefined> {
  const found = await browsing
  return found === undefined || found.isTrusted || found.http === null ? undefined : 'http'
}

/** Returns the hint to trust the CA, where browsers would warn about a URL. */
export function formatTrustHint(
  services: readonly ServiceView[],
  browsing: BrowserTrust | undefined,
): string | undefined {
  const hosts = services.filter(isSecure).map(({ url }) => new URL(url ?? '').hostname)
  // The project's own domain is the shortest: the others are below it.
  const [host] = hosts.toSorted((a, b) => a.length - b.length)
  if (host === undefined || browsing === undefined || browsing.isTrusted) return undefined
  const port = browsing.http === 80 ? '' : `:${browsing.http}`
  const plain = browsing.http === null ? '' : `\nWithout TLS  http://${host}${port}`
  return `Browsers will warn until you run \`locald trust\`${plain}`
}
