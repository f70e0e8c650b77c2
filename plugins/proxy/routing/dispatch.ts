import type { Writable } from 'node:stream'
import type { Log } from '../../../kernel/contract/plugin.ts'
import { messageOf } from '../../../kernel/errors.ts'
import type { RequestInfo } from '../message/request-info.ts'
import * as errorPages from '../pages/errors.ts'
import type { LocalResponse } from '../pages/responses.ts'
import type { Failure } from '../upstream/forward.ts'
import type { Decision, Destination, RequestContext } from './decision.ts'
import type { RequestRouter } from './router.ts'

/**
 * Carries out the router's decisions for one request, in one version of HTTP. Each decision calls `respond` or
 * `forward` once.
 */
export interface Forwarder {
  /** Whether the client has disconnected. */
  isClosed(): boolean
  respond(response: LocalResponse): void
  /** Forwards the request; calls `failed` when the service sent no response. */
  forward(to: Destination, failed: (failure: Failure) => void): void
}

/** An earlier attempt to forward a request, and why it failed. */
export interface Attempt {
  readonly to: Destination
  /** When it was made: performance.now(). */
  readonly since: number
  /** `stale`: the service was closing the idle connection it was sent on. */
  readonly failure: Failure | { readonly kind: 'stale' }
}

/** Routes a request, and again while its service restarts, until it is answered or forwarded. */
export function dispatch(
  router: RequestRouter,
  context: RequestContext,
  forwarder: Forwarder,
  log: Log,
  attempt?: Attempt,
): void {
  const request = attempt === undefined ? context : { ...context, since: attempt.since }
  // A request that crashes its service must not crash-loop it: at most one retry.
  let wasRetried = attempt !== undefined && attempt.failure.kind !== 'refused'
  const recover = (to: Destination, failure: Failure): Decision | Promise<Decision> => {
    const before = wasRetried
    wasRetried ||= failure.kind === 'broken' || failure.sent
    return router.recover(request, to, failure.kind === 'broken' && before ? { ...failure, again: false } : failure)
  }
  const carryOut = (decision: Decision): void => {
    if (forwarder.isClosed()) return
    if (decision.kind === 'respond') return void forwarder.respond(router.link(decision.response, request.scheme))
    const { to } = decision
    forwarder.forward(to, failure => decide(() => recover(to, failure)))
  }
  const decide = (route: () => Decision | Promise<Decision>): void => {
    try {
      const decision = route()
      if (decision instanceof Promise) decision.then(carryOut).catch(fail)
      else carryOut(decision)
    } catch (error) {
      fail(error)
    }
  }
  const fail = (error: unknown): void => {
    log.error(`internal error of the proxy: ${messageOf(error)}`)
    if (!forwarder.isClosed()) forwarder.respond(errorPages.internalError())
  }
  decide(() =>
    attempt === undefined || attempt.failure.kind === 'stale'
      ? router.route(request)
      : router.recover(request, attempt.to, attempt.failure),
  )
}

/** Creates the context of a request that has just arrived. @param response closes when the client disconnects */
export function contextOf(info: RequestInfo, scheme: 'http' | 'https', response: Writable): RequestContext {
  let controller: AbortController | undefined
  return {
    info,
    scheme,
    since: performance.now(),
    signal() {
      if (controller !== undefined) return controller.signal
      const created = new AbortController()
      controller = created
      if (response.destroyed) created.abort()
      else response.once('close', () => created.abort())
      return created.signal
    },
  }
}
