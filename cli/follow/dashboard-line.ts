import type { Client } from '../daemon/client.ts'
import { isInteractive } from '../output/terminal.ts'
import { type BrowserTrust, dashboardScheme } from './trust-hint.ts'

interface Address {
  readonly url: string
}

/**
 * Returns the line about the dashboard that follows `up`: on a terminal with a URL that signs a browser in, elsewhere,
 * where output may be kept, with the plain one. Undefined where it is not served, or on any error: that is no reason to
 * fail.
 */
export async function describeDashboard(
  daemon: Client,
  browsing: Promise<BrowserTrust | undefined> | undefined,
): Promise<string | undefined> {
  try {
    const scheme = await dashboardScheme(daemon, browsing)
    const asked = scheme === undefined ? {} : { scheme }
    const { url } = isInteractive()
      ? await daemon.post<Address>('/v1/dashboard/token', asked)
      : await daemon.get<Address>('/v1/dashboard', asked)
    return `Dashboard  ${url}`
  } catch {
    return undefined
  }
}
