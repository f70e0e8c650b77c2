import type { Writable } from 'node:stream'
import type { Log } from '../../../kernel/contract/plugin.ts'
import { messageOf } from '../../../kernel/errors.ts'
import type { Head } from '../message/request-info.ts'
import * as refusal from '../pages/errors.ts'
import type { Answer } from '../pages/responses.ts'
import type { Case, Destination, Failure, Verdict } from './decision.ts'
import type { Gate } from './router.ts'

/** What a lane does with a verdict. Exactly one of `answer` and `carry` is called for each judgement. */
export interface Carrier {
  /** Nobody waits for an answer any more. */
  gone(): boolean
  answer(answer: Answer): void
  /** Forwards; `failed` is to be called where that came to nothing and no answer was begun. */
  carry(to: Destination, failed: (failure: Failure) => void): void
}

/** Where a request was sent already, and why nothing came of it. */
export interface Tried {
  readonly to: Destination
  /** When it was: performance.now(). */
  readonly since: number
  /** `stale`: its connection was one that the service was about to close. */
  readonly failure: Failure | { readonly kind: 'stale' }
}

/** Has a request judged, and judged again while its service restarts, until it is answered or forwarded. */
export function judge(gate: Gate, made: Case, carrier: Carrier, log: Log, tried?: Tried): void {
  const request = tried === undefined ? made : { ...made, since: tried.since }
  // One that ends its service each time would end it for good: it is sent twice at most.
  let repeated = tried !== undefined && tried.failure.kind !== 'refused'
  const failed = (to: Destination, failure: Failure): Verdict | Promise<Verdict> => {
    const before = repeated
    repeated ||= failure.kind === 'broken' || failure.sent
    return gate.failed(request, to, failure.kind === 'broken' && before ? { ...failure, again: false } : failure)
  }
  const decided = (verdict: Verdict): void => {
    if (carrier.gone()) return
    if (verdict.do === 'answer') return void carrier.answer(verdict.answer)
    const { to } = verdict
    carrier.carry(to, failure => settle(() => failed(to, failure)))
  }
  const settle = (ask: () => Verdict | Promise<Verdict>): void => {
    try {
      const verdict = ask()
      if (verdict instanceof Promise) verdict.then(decided).catch(broke)
      else decided(verdict)
    } catch (error) {
      broke(error)
    }
  }
  const broke = (error: unknown): void => {
    log.error(`the proxy failed: ${messageOf(error)}`)
    if (!carrier.gone()) carrier.answer(refusal.internal())
  }
  settle(() =>
    tried === undefined || tried.failure.kind === 'stale'
      ? gate.judge(request)
      : gate.failed(request, tried.to, tried.failure),
  )
}

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
