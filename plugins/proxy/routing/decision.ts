import type { Protocol } from '../../../kernel/contract/plugin.ts'
import type { Head } from '../message/request-info.ts'
import type { Answer } from '../pages/responses.ts'
import type { Address } from '../upstream/dial.ts'
import { type Broken, closedEarly } from '../upstream/exchange.ts'

/** Where a request is forwarded to. */
export interface Destination {
  readonly key: string
  readonly address: Address
  /** Path and query to ask for. */
  readonly path: string
  readonly prefix: string | undefined
  readonly protocol: Protocol
}

/** What becomes of a request. */
export type Verdict =
  | { readonly do: 'forward'; readonly to: Destination }
  | { readonly do: 'answer'; readonly answer: Answer }

/**
 * Why there is no response. `refused`: nothing was sent and no body read, so it may be tried anew; `sent`: it was, on a connection
 * that proved stale, before nobody listened any more. `broken`: it was sent;
 * `again`: it may be sent once more all the same (RFC 9110 section 9.2.1), and there is no body that was read.
 */
export type Failure =
  | { readonly kind: 'refused'; readonly sent: boolean }
  | { readonly kind: 'broken'; readonly detail: string; readonly again: boolean }

/** What a broken exchange says of its request. `again`: it may be sent again; `wasStale`: it was, when a connection kept open had ended. */
export function failureOf(broken: Broken, { again, wasStale }: { again: boolean; wasStale: boolean }): Failure {
  if (broken.kind === 'refused') return { kind: 'refused', sent: wasStale }
  if (broken.kind === 'stale') return { kind: 'broken', detail: closedEarly, again: false }
  return { kind: 'broken', detail: broken.detail, again: broken.kind === 'broken' && again && !wasStale }
}

/** A request while it is judged. */
export interface Case {
  readonly head: Head
  readonly scheme: 'http' | 'https'
  /** When it came: performance.now(). */
  readonly since: number
  /** Ends when the client is gone; made only when somebody waits. */
  gone(): AbortSignal
}
