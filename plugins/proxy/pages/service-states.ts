import type { CatalogEntry, Fault } from '../../../kernel/contract/plugin.ts'
import type { RequestInfo } from '../message/request-info.ts'
import type { Address } from '../upstream/dial.ts'
import { type Awaited, failure, type Live, type LocalResponse, type ServiceDetails } from './responses.ts'

const retrySoon = ['Retry-After', '1']
const runNote = 'This page reloads automatically after a manual restart of the service or a file change.'

/** Makes a page reload itself, where that repeats nothing but a GET or HEAD. */
function liveUpdate({ method }: RequestInfo, event: Awaited, note: string, run?: number): { readonly live?: Live } {
  const awaits = run === undefined ? event : `${event} ${run}`
  return method === 'GET' || method === 'HEAD' ? { live: { awaits, note } } : {}
}

export function reportStopped(info: RequestInfo, entry: CatalogEntry): LocalResponse {
  const isStopping = entry.status === 'stopping'
  const error = {
    code: 'SERVICE_NOT_RUNNING',
    message: `${entry.key} is ${entry.status}`,
    hint: `Run \`locald up ${entry.name}\` in ${entry.path}.`,
  } as const
  return failure(503, 'stopped', error, {
    about: entry.key,
    details: { reason: entry.reason, lines: [] },
    headers: isStopping ? retrySoon : [],
    ...liveUpdate(info, 'start', 'This page reloads automatically when the service is started.'),
  })
}

/** Reports a service that crashed or never became ready, with its last lines of output. */
export function reportFailed(info: RequestInfo, entry: CatalogEntry, { reason, lines }: ServiceDetails): LocalResponse {
  const heading = `${entry.key} ${entry.status === 'exited' ? 'exited' : 'failed'}`
  const message = reason === null ? heading : `${heading}: ${reason}`
  const error = { code: 'SERVICE_FAILED', message, hint: logsHint(entry.key) } as const
  return failure(503, 'failed', error, {
    about: entry.key,
    heading,
    details: { reason, lines },
    ...liveUpdate(info, 'start', 'This page reloads automatically when the service is restarted.'),
  })
}

/** Reports a service that runs, but on another port or address, or in another protocol. */
export function reportUnreachable(
  info: RequestInfo,
  { key, status }: CatalogEntry,
  { message, hint }: Fault,
): LocalResponse {
  const error = { code: 'SERVICE_FAILED', message, hint } as const
  return failure(502, 'unreachable', error, {
    about: key,
    details: { reason: `${key} is ${status}, but cannot be reached.`, lines: [] },
    ...liveUpdate(info, 'fault', 'This page reloads automatically when the service can be reached.'),
  })
}

export function reportNoPort(entry: CatalogEntry): LocalResponse {
  const message = `${entry.key} is running but does not listen on a port`
  const error = { code: 'SERVICE_FAILED', message, hint: logsHint(entry.key) } as const
  return failure(502, 'refused', error, { about: entry.key })
}

export function reportRefused(
  info: RequestInfo,
  to: { readonly key: string; readonly address: Address },
): LocalResponse {
  const { host, port } = to.address
  const authority = `${host.includes(':') ? `[${host}]` : host}:${port}`
  const error = {
    code: 'SERVICE_FAILED',
    message: `${to.key} is running, but nothing listens on ${authority}`,
    hint: `Check that it listens on $PORT (${port}). ${logsHint(to.key)}`,
  } as const
  return failure(502, 'refused', error, {
    about: to.key,
    ...liveUpdate(info, 'open', 'This page reloads automatically when the service accepts connections.'),
  })
}

/** Reports a service that sent no valid response. @param run how often it was started by a user or a file change */
export function reportBroken(
  info: RequestInfo,
  { key, run, detail }: { key: string; run: number; detail: string },
): LocalResponse {
  const error = { code: 'SERVICE_FAILED', message: `${key} ${detail}`, hint: logsHint(key) } as const
  return failure(502, 'upstream-error', error, {
    about: key,
    ...liveUpdate(info, 'run', runNote, run),
  })
}

/** A crash of a service while a request was in flight. */
export interface Crash {
  readonly key: string
  readonly reason: string
  /** How often it crashed with this request in its current run. */
  readonly times: number
  readonly run: number
  readonly lines: readonly string[]
}

/**
 * Reports a crash with the request in flight, which is not retried, so that it cannot use up the service's restarts.
 */
export function reportCrash(info: RequestInfo, { key, reason, times, run, lines }: Crash): LocalResponse {
  const request = `${info.method} ${info.path.replace(/\?.*/, '').slice(0, 200)}`
  const how = times === 1 ? 'crashed' : times === 2 ? 'crashed twice' : `crashed ${times} times`
  const error = {
    code: 'SERVICE_FAILED',
    message: `${key} ${how} on ${request}: ${reason}`,
    hint: `${logsHint(key)} The request is not retried automatically.`,
  } as const
  return failure(502, 'crashed', error, {
    about: key,
    details: { reason: null, lines },
    ...liveUpdate(info, 'run', runNote, run),
  })
}

/** Shows the progress of a start, for a browser. */
export function showProgress(info: RequestInfo, entry: CatalogEntry, details: ServiceDetails): LocalResponse {
  const error = { code: 'SERVICE_NOT_RUNNING', message: `${entry.key} is ${entry.status}` } as const
  return failure(503, 'starting', error, {
    about: entry.key,
    details,
    headers: retrySoon,
    ...liveUpdate(info, 'ready', 'This page reloads automatically when the service is ready.'),
  })
}

export function reportSlowStart(entry: CatalogEntry, details: ServiceDetails): LocalResponse {
  const error = {
    code: 'WAIT_TIMEOUT',
    message: `${entry.key} is still ${entry.status}`,
    hint: `Run \`locald why ${entry.key}\` to see what it waits for.`,
  } as const
  return failure(503, 'starting', error, { about: entry.key, details, headers: retrySoon })
}

export function reportSlowProject(name: string): LocalResponse {
  const error = {
    code: 'WAIT_TIMEOUT',
    message: `The project of ${name} is still starting`,
    hint: 'Run `locald registry list` to see its problems.',
  } as const
  return failure(503, 'starting', error, { headers: retrySoon })
}

function logsHint(key: string): string {
  return `Run \`locald logs ${key}\` for its output or \`locald why ${key}\` for the cause.`
}
