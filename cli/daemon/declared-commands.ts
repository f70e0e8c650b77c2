import { LocaldError } from '../../kernel/errors.ts'
import type { KeysQuery, OneServiceQuery, ServiceCommandsAnswer, ServiceCommandView } from '../../kernel/protocol.ts'
import type { Client } from './client.ts'

/** Returns the commands that a service declares; none where the daemon is of a version without them. */
export async function listDeclared(
  daemon: Client,
  { path, service }: OneServiceQuery,
): Promise<readonly ServiceCommandView[]> {
  const services = await readDeclared(daemon, { path, service })
  return services.length === 1 ? (services[0]?.commands ?? []) : []
}

/** Returns the services with the commands of each; none where the daemon is of a version without them. */
export async function readDeclared(daemon: Client, query: KeysQuery): Promise<ServiceCommandsAnswer['services']> {
  try {
    const { services } = await daemon.get<ServiceCommandsAnswer>('/v1/services/commands', { ...query })
    return services
  } catch (error) {
    if (LocaldError.is(error) && error.code === 'REQUEST_INVALID') return []
    throw error
  }
}
