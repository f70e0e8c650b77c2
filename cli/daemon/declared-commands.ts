import { LocaldError } from '../../kernel/errors.ts'
import type { OneServiceQuery, ServiceCommandsAnswer, ServiceCommandView } from '../../kernel/protocol.ts'
import type { Client } from './client.ts'

/** Returns the commands that a service declares; none where the daemon is of a version without them. */
export async function listDeclared(
  daemon: Client,
  { path, service }: OneServiceQuery,
): Promise<readonly ServiceCommandView[]> {
  try {
    const { services } = await daemon.get<ServiceCommandsAnswer>('/v1/services/commands', { path, service })
    return services.length === 1 ? (services[0]?.commands ?? []) : []
  } catch (error) {
    if (LocaldError.is(error) && error.code === 'REQUEST_INVALID') return []
    throw error
  }
}
