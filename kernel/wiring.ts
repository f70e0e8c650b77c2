import type { Web } from './plugin.ts'

/** What locald itself sets for a service: its port, where it is to listen, the URL it is reached at. */
export function ownVariables(
  port: number | undefined,
  host: string | undefined,
  web: Web | undefined,
): Record<string, string> {
  return {
    ...(port === undefined ? {} : { PORT: String(port), HOST: '127.0.0.1' }),
    ...(host === undefined || web === undefined ? {} : { LOCALD_URL: web.url(host) }),
    ...(web?.caFile === undefined ? {} : { NODE_EXTRA_CA_CERTS: web.caFile }),
  }
}

/** What is known of a service that another one refers to. */
export interface Referred {
  readonly port: number | undefined
  /** Where it was last seen to listen. */
  readonly address: string | undefined
  /** What its type offers besides; asked for only when needed. */
  readonly exported: () => Readonly<Record<string, string>>
}

/** The value of `${services.NAME.FIELD}`: `port`, `host`, what the type exports, else `url`. */
export function fieldOf({ port, address = '127.0.0.1', exported }: Referred, field: string): string | undefined {
  if (field === 'port') return port === undefined ? undefined : String(port)
  if (field === 'host') return port === undefined ? undefined : address
  const value = exported()[field]
  if (value !== undefined || field !== 'url' || port === undefined) return value
  return `http://${address.includes(':') ? `[${address}]` : address}:${port}`
}
