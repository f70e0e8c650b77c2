import type { Address, Run } from '../../kernel/contract/plugin.ts'
import { LocaldError } from '../../kernel/errors.ts'
import { passwordOf, type ServicePaths, servicePaths } from './files/paths.ts'
import type { PostgresOptions } from './options.ts'
import { maintenance, superuser, type Target } from './server/client.ts'

type PostgresRun = Run<PostgresOptions>

/** Returns how to connect to the server of a service, and to its first database. */
export function targetOf(run: PostgresRun, paths: ServicePaths): Target {
  const [database = maintenance] = run.options.databases
  return { host: '127.0.0.1', port: portOf(run), user: superuser, password: passwordOf(paths), database }
}

/**
 * Returns what `${services.NAME.*}` may read of a service.
 * @param sockets locald's folder for sockets
 */
export function exportsOf(run: PostgresRun, at: Address, sockets: string): Record<string, string> {
  const paths = servicePaths(run.data, sockets)
  const { user, password, database } = targetOf(run, paths)
  const host = at.host.includes(':') ? `[${at.host}]` : at.host
  const name = encodeURIComponent(database)
  return {
    url: `postgresql://${user}:${password}@${host}:${at.port}/${name}`,
    user,
    password,
    database,
    socket: paths.socket,
  }
}

/** Returns the port of a service, which each one has. */
export function portOf(run: PostgresRun): number {
  if (run.port !== undefined) return run.port
  throw new LocaldError('INTERNAL', `${run.key} has no port`, { service: run.key })
}
