import type { Client } from 'pg'
import { LocaldError, messageOf, systemCode } from '../../../kernel/errors.ts'

/** How to connect to a server. `host` may be a socket's folder. */
export interface Target {
  readonly host: string
  readonly port: number
  readonly user: string
  readonly password: string
  readonly database: string
}

/** The superuser of every cluster. */
export const superuser = 'postgres'

/** The database that every cluster has. */
export const maintenance = 'postgres'

/** Opens a connection, runs `use`, and closes it. Throws the server's or the network's error. */
export async function withClient<T>(target: Target, use: (client: Client) => Promise<T>): Promise<T> {
  const { default: pg } = await import('pg')
  const client = new pg.Client({
    ...target,
    ssl: false,
    connectionTimeoutMillis: 10_000,
    application_name: 'locald',
    fallback_application_name: 'locald',
  })
  // A lost connection also fails the current query.
  client.on('error', () => {})
  try {
    await client.connect()
    return await use(client)
  } finally {
    await client.end().catch(() => {})
  }
}

/** Returns the SQLSTATE of a server's error: https://www.postgresql.org/docs/current/errcodes-appendix.html */
export function sqlStateOf(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined
  return typeof error.code === 'string' && /^[0-9A-Z]{5}$/.test(error.code) ? error.code : undefined
}

/** Returns whether an error is a server's, or of the connection to one. */
export function isServerError(error: unknown): boolean {
  if (LocaldError.is(error)) return false
  const isLost = ['ECONNREFUSED', 'ECONNRESET', 'EPIPE'].includes(systemCode(error) ?? '')
  return isLost || sqlStateOf(error) !== undefined || /^Connection terminated/.test(messageOf(error))
}
