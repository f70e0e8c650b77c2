/** Calls of the daemon's API. Every failure is an `ApiError`, with a code of docs/errors.md and a hint where there is one. */
import type { ErrorJson } from '../../../kernel/errors.ts'
import { textOf } from './body.ts'

/** Values of a query string. */
export type Query = Readonly<Record<string, string | number | boolean | readonly string[] | undefined>>

/** Why a call failed. */
export class ApiError extends Error {
  readonly code: string
  readonly hint: string | undefined
  readonly status: number

  constructor(message: string, code: string, status: number, hint?: string) {
    super(message)
    this.code = code
    this.status = status
    this.hint = hint
  }
}

/** Returns the answer of `GET /v1…`. The type is the caller's word: the daemon and this page come from one build. */
export async function get<T>(path: string, query: Query = {}, signal?: AbortSignal): Promise<T> {
  const words = searchOf(query)
  const response = await call(`${path}${words === '' ? '' : `?${words}`}`, { signal: signal ?? null })
  return await response.json()
}

/** Returns the answer of `POST /v1…`. */
export async function post<T>(path: string, body: object = {}): Promise<T> {
  const response = await call(path, requestOf(body))
  return await response.json()
}

/** Yields the lines of an answer of NDJSON, of `POST` with a body, else of `GET`, as they come. */
export async function* lines<T>(path: string, body?: object, signal?: AbortSignal): AsyncGenerator<T> {
  const response = await call(path, { ...(body === undefined ? {} : requestOf(body)), signal: signal ?? null })
  let rest = ''
  for await (const text of textOf(response.body)) {
    const parts = (rest + text).split('\n')
    rest = parts.pop() ?? ''
    for (const part of parts) if (part !== '') yield JSON.parse(part)
  }
  if (rest !== '') yield JSON.parse(rest)
}

/** Writes a query string; lists repeat their name. */
export function searchOf(query: Query): string {
  const pairs = Object.entries(query).flatMap(([name, value]) =>
    value === undefined ? [] : [value].flat().map(one => [name, String(one)]),
  )
  return new URLSearchParams(pairs).toString()
}

function requestOf(body: object): RequestInit {
  return { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }
}

async function call(path: string, init: RequestInit): Promise<Response> {
  const response = await fetch(`/v1${path}`, { ...init, cache: 'no-store' }).catch((error: unknown) => {
    if (init.signal?.aborted === true) throw error
    throw new ApiError('the daemon does not answer', 'DAEMON_UNREACHABLE', 0, 'Run `locald server start`.')
  })
  if (response.ok) return response
  const body: { readonly error?: ErrorJson } = await response.json().catch(() => ({}))
  const { error } = body
  throw new ApiError(
    error?.message ?? `the daemon answered with status ${response.status}`,
    error?.code ?? 'INTERNAL',
    response.status,
    error?.hint,
  )
}
