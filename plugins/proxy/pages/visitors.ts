import type { ErrorJson } from '../../../kernel/errors.ts'
import { notShared } from './errors.ts'
import { failure, type LocalResponse, reloadResponse } from './responses.ts'

/**
 * Returns what a visitor of a front gets of a response about its service: the state alone. Reasons quote the service's
 * output, with its secrets, and hints have folders and ports of this machine. @param key the front's service
 */
export function forVisitors(response: LocalResponse, key: string): LocalResponse {
  const { about, headers = [], status, what } = response
  if (about === undefined) return status === 202 ? reloadResponse('stay') : response
  if (about !== key) return notShared()
  const awaits = response.page?.().awaits
  const live = awaits === undefined ? {} : { live: { awaits, note: 'This page reloads automatically.' } }
  return failure(status, what, stateOf(what), { about, headers, ...live })
}

function stateOf(what: string): Pick<ErrorJson, 'code' | 'message'> {
  if (what === 'stopped') return { code: 'SERVICE_NOT_RUNNING', message: 'The service is not running' }
  if (what === 'starting') return { code: 'SERVICE_NOT_RUNNING', message: 'The service is starting' }
  const hasFailed = what === 'failed' || what === 'crashed'
  return { code: 'SERVICE_FAILED', message: `The service ${hasFailed ? 'has failed' : 'cannot be reached'}` }
}
