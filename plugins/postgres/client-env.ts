import type { EnvContext, ServiceRef } from '../../kernel/contract/plugin.ts'

/** libpq's variables, and what of a service is in them. https://www.postgresql.org/docs/current/libpq-envars.html */
const clientVariables = [
  ['PGHOST', 'host'],
  ['PGPORT', 'port'],
  ['PGUSER', 'user'],
  ['PGPASSWORD', 'password'],
  ['PGDATABASE', 'database'],
] as const

/** Each of them says which server is meant. */
const serverVariables = ['PGHOST', 'PGHOSTADDR', 'PGSERVICE'] as const

/**
 * Those of a shell that neither lead elsewhere nor ask of the server what it has not, such as TLS or another way to log in. All others
 * do, or may: each version of libpq has more of them.
 */
const harmless = new Set([
  ...['PGAPPNAME', 'PGCLIENTENCODING', 'PGCONNECT_TIMEOUT', 'PGDATESTYLE', 'PGGEQO', 'PGLOCALEDIR', 'PGTZ'],
])

/**
 * Adds DATABASE_URL and PG* to the environment of the database itself, for one-off commands, and of services that depend on exactly
 * one: what the project sets itself stays, what is only in the caller's shell does not.
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
  // A project that names a server means that one: half of this one's would be worse than nothing.
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
