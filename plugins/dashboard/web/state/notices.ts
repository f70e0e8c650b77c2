/** What happened: toasts that show for some seconds, and stay in a list. */
import { signal } from '@preact/signals'
import { ApiError } from '../api.ts'

/** One of them. */
export interface Notice {
  readonly id: number
  readonly kind: 'done' | 'warning' | 'failed'
  readonly text: string
  /** A code of docs/errors.md. */
  readonly code?: string | undefined
  readonly hint?: string | undefined
  /** The service that it is about. */
  readonly service?: string | undefined
  /** ms since the epoch. */
  readonly time: number
}

const limit = 100
let lastId = 0

/** The last ones, newest first. */
export const notices = signal<readonly Notice[]>([])
/** Those that the user has not seen in the list. */
export const unseen = signal(0)

/** Shows a notice. */
export function notify(notice: Omit<Notice, 'id' | 'time'>): void {
  lastId += 1
  notices.value = [{ ...notice, id: lastId, time: Date.now() }, ...notices.value].slice(0, limit)
  if (notice.kind !== 'done') unseen.value += 1
}

/** Shows why something failed. */
export function notifyError(error: unknown, service?: string): void {
  const text = error instanceof Error ? error.message : String(error)
  const { code, hint } = error instanceof ApiError ? error : { code: undefined, hint: undefined }
  notify({ kind: 'failed', text, code, hint, service })
}
