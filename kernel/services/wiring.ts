import type { Web } from '../contract/plugin.ts'

/** What locald itself sets for a service. */
export interface OwnVariables {
  /** Its port, the URL it is reached at: whatever else is written. */
  readonly own: Readonly<Record<string, string>>
  /** Where it is to listen, unless somebody wrote that. */
  readonly defaults: Readonly<Record<string, string>>
  /** The root certificate of the local CA, which Node is to trust besides what somebody wrote. */
  readonly caFile: string | undefined
}

/** What locald itself sets for a service with a port, a host name, or neither. */
export function ownVariables(port: number | undefined, host: string | undefined, web: Web | undefined): OwnVariables {
  return {
    own: {
      ...(port === undefined ? {} : { PORT: String(port) }),
      ...(host === undefined || web === undefined ? {} : { LOCALD_URL: web.url(host) }),
    },
    defaults: port === undefined ? {} : { HOST: '127.0.0.1' },
    caFile: web?.caFile,
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
