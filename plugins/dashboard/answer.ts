import { catalogue, LocaldError } from '../../kernel/errors.ts'
import type { Refusal } from './access.ts'
import { refusalPage } from './pages.ts'

/** A response of the dashboard itself. */
export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer | string
}

/** Answers with a page. */
export function htmlAnswer(status: number, page: string, headers: Readonly<Record<string, string>> = {}): Answer {
  return { status, headers: { 'Content-Type': 'text/html; charset=utf-8', ...headers }, body: page }
}

/** Answers with an error: as JSON, or as a page where the client accepts one. */
export function refusalAnswer({ error, status = catalogue[error.code].status }: Refusal, accept?: string): Answer {
  if (accept?.includes('text/html') === true) return htmlAnswer(status, refusalPage(error))
  return { status, headers: { 'Content-Type': 'application/json' }, body: `${JSON.stringify({ error })}\n` }
}

/** Refuses a path that nothing is served at. */
export function notFound(path: string): Refusal {
  const error = new LocaldError('REQUEST_INVALID', `page not found: ${path}`, { hint: 'Open / for the dashboard.' })
  return { error, status: 404 }
}
