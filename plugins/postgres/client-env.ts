import type { EnvContext, ServiceRef } from '../../kernel/contract/plugin.ts'

/**
 * libpq's variables and the export of a service that each one gets.
 * https://www.postgresql.org/docs/current/libpq-envars.html
 */
const clientVariables = [
  ['PGHOST', 'host'],
  ['PGPORT', 'port'],
  ['PGUSER', 'user'],
  ['PGPASSWORD', 'password'],
  ['PGDATABASE', 'database'],
] as const

/** Each of these selects a server. */
const serverVariables = ['PGHOST', 'PGHOSTADDR', 'PGSERVICE'] as const

/**
 * Variables of the shell that neither select a server nor require a feature that it lacks, such as TLS or another
 * authentication method. All others are dropped: each version of libpq adds more.
 */
const harmless = new Set([
  ...['PGAPPNAME', 'PGCLIENTENCODING', 'PGCONNECT_TIMEOUT', 'PGDATESTYLE', 'PGGEQO', 'PGLOCALEDIR', 'PGTZ'],
])

/**
 * Adds DATABASE_URL and PG* to the environment of the database itself, for one-off commands, and to services that
 * depend on exactly one database. Variables that the project sets are kept; those that are only in the caller's shell
 * are not.
 */
export function addClientVariables(
  env: Record<string, string>,
  { name, type }: ServiceRef,
  { dependencies, isOwn, lookup }: EnvContext,
): Record<string, string> {
  const databases = type === 'postgres' ? [name] : dependencies.filter(isPostgres).map(other => other.name)
  const [database] = databases
  if (database === undefined || databases.length > 1) return env
  const result = { ...env }
  const url = lookup(database, 'url')
  if (!isOwn('DATABASE_URL') && url !== undefined) result['DATABASE_URL'] = url
  // A project that names a server means that server: half of these variables would mix two servers.
  if (serverVariables.some(isOwn)) return result
  for (const variable of Object.keys(result)) if (isMisleading(variable) && !isOwn(variable)) delete result[variable]
  for (const [variable, field] of clientVariables) {
    const value = isOwn(variable) ? undefined : lookup(database, field)
    if (value !== undefined) result[variable] = value
  }
  return result
}

function isMisleading(variable: string): boolean {
  return /^PG[A-Z]+$/.test(variable) && !harmless.has(variable)
}

function isPostgres({ type }: { readonly type: string }): boolean {
  return type === 'postgres'
}
