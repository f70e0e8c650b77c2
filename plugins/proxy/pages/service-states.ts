import type { CatalogEntry, Fault } from '../../../kernel/contract/plugin.ts'
import type { Head } from '../message/request-info.ts'
import type { Address } from '../upstream/dial.ts'
import { type About, type Answer, type Awaited, failure, type Live } from './responses.ts'

const soon = ['Retry-After', '1']

/** A page that reloads itself, where reloading it repeats nothing but a GET (with HEAD the same). */
function live({ method }: Head, waits: Awaited, note: string, run?: number): { readonly live?: Live } {
  const awaits = run === undefined ? waits : `${waits} ${run}`
  return method === 'GET' || method === 'HEAD' ? { live: { awaits, note } } : {}
}

export function stopped(head: Head, entry: CatalogEntry): Answer {
  const isStopping = entry.status === 'stopping'
  const error = {
    code: 'SERVICE_NOT_RUNNING',
    message: `${entry.key} is ${entry.status}`,
    hint: `Run \`locald up ${entry.name}\` in ${entry.path}.`,
  } as const
  return failure(503, 'stopped', error, {
    about: { reason: entry.reason, lines: [] },
    headers: isStopping ? soon : [],
    ...live(head, 'start', 'This page reloads automatically when the service is started.'),
  })
}

/** It crashed or never became ready; its last lines say why. */
export function failed(head: Head, entry: CatalogEntry, { reason, lines }: About): Answer {
  const heading = `${entry.key} ${entry.status === 'exited' ? 'has exited' : 'failed'}`
  const message = reason === null ? heading : `${heading}: ${reason}`
  const error = { code: 'SERVICE_FAILED', message, hint: logsHint(entry.key) } as const
  return failure(503, 'failed', error, {
    heading,
    about: { reason, lines },
    ...live(head, 'start', 'This page reloads automatically when the service is started again.'),
  })
}

/** It runs, but on another port or address, or in another protocol. */
export function unreachable(head: Head, { key, status }: CatalogEntry, { message, hint }: Fault): Answer {
  const error = { code: 'SERVICE_FAILED', message, hint } as const
  return failure(502, 'unreachable', error, {
    about: { reason: `${key} is ${status}, but cannot be reached.`, lines: [] },
    ...live(head, 'fault', 'This page reloads automatically when the service can be reached.'),
  })
}

export function noPort(entry: CatalogEntry): Answer {
  return failure(502, 'refused', {
    code: 'SERVICE_FAILED',
    message: `${entry.key} is running, but listens on no port`,
    hint: logsHint(entry.key),
  })
}

export function nothingListens(head: Head, to: { readonly key: string; readonly address: Address }): Answer {
  const { host, port } = to.address
  const place = `${host.includes(':') ? `[${host}]` : host}:${port}`
  const error = {
    code: 'SERVICE_FAILED',
    message: `${to.key} is running, but nothing listens on ${place}`,
    hint: `Check that it listens on $PORT (${port}). ${logsHint(to.key)}`,
  } as const
  return failure(
    502,
    'refused',
    error,
    live(head, 'open', 'This page reloads automatically when the service accepts connections.'),
  )
}

/** The service was reached, but its answer never came or made no sense. `run`: of the service, by request. */
export function broken(head: Head, { key, run, detail }: { key: string; run: number; detail: string }): Answer {
  const error = { code: 'SERVICE_FAILED', message: `${key} ${detail}`, hint: logsHint(key) } as const
  return failure(
    502,
    'upstream-error',
    error,
    live(head, 'run', 'This page reloads automatically when the service is started again by request or a change.', run),
  )
}

/** How a service crashed with a request. */
export interface Crash {
  readonly key: string
  readonly reason: string
  /** In its present run. */
  readonly times: number
  readonly run: number
  readonly lines: readonly string[]
}

/** It was with the service when that crashed, and is not repeated: it must not use up the restarts that the service has. */
export function crashed(head: Head, { key, reason, times, run, lines }: Crash): Answer {
  const request = `${head.method} ${head.path.replace(/\?.*/, '').slice(0, 200)}`
  const how = times === 1 ? 'crashed' : times === 2 ? 'crashed twice' : `crashed ${times} times`
  const error = {
    code: 'SERVICE_FAILED',
    message: `${key} ${how} on ${request}: ${reason}`,
    hint: `The request is not repeated automatically. ${logsHint(key)}`,
  } as const
  return failure(502, 'crashed', error, {
    about: { reason: null, lines },
    ...live(
      head,
      'run',
      'This page reloads automatically when the service is started again by request or a change.',
      run,
    ),
  })
}

/** A page of which the service's progress is a part. */
export function progress(head: Head, entry: CatalogEntry, about: About): Answer {
  const error = { code: 'SERVICE_NOT_RUNNING', message: `${entry.key} is ${entry.status}` } as const
  return failure(503, 'starting', error, {
    about,
    headers: soon,
    ...live(head, 'ready', 'This page reloads automatically when the service is ready.'),
  })
}

export function stillStarting(entry: CatalogEntry, about: About): Answer {
  const error = {
    code: 'WAIT_TIMEOUT',
    message: `${entry.key} is still ${entry.status}`,
    hint: `Run \`locald why ${entry.key}\` for what it waits for.`,
  } as const
  return failure(503, 'starting', error, { about, headers: soon })
}

export function stillArriving(name: string): Answer {
  const error = {
    code: 'WAIT_TIMEOUT',
    message: `The project of ${name} is still being started`,
    hint: 'Run `locald registry list` for problems with it.',
  } as const
  return failure(503, 'starting', error, { headers: soon })
}

function logsHint(key: string): string {
  return `Run \`locald logs ${key}\` for its output, \`locald why ${key}\` for the cause.`
}
