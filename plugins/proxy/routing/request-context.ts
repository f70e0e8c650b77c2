import type { Writable } from 'node:stream'
import type { Head } from '../message/request-info.ts'
import type { Case } from './router.ts'

/** A request from now on; its client is gone when what it is answered on closes. */
export function caseOf(head: Head, scheme: 'http' | 'https', answer: Writable): Case {
  let gone: AbortController | undefined
  return {
    head,
    scheme,
    since: performance.now(),
    gone() {
      if (gone !== undefined) return gone.signal
      const made = new AbortController()
      gone = made
      if (answer.destroyed) made.abort()
      else answer.once('close', () => made.abort())
      return made.signal
    },
  }
}
