import { notShared } from '../pages/errors.ts'
import type { LocalResponse } from '../pages/responses.ts'
import { forVisitors } from '../pages/visitors.ts'
import type { Decision } from '../routing/decision.ts'
import type { RequestRouter, Router } from '../routing/router.ts'

/**
 * Routes the requests of a front: to its service alone, whatever else is served under its name. Pages say no more of it
 * than its state, and have no links to the dashboard.
 */
export class FrontRouter implements RequestRouter {
  readonly #router: Router
  readonly #key: string

  constructor(router: Router, key: string) {
    this.#router = router
    this.#key = key
  }

  /** Knows none: the fast path forwards requests as they are. */
  destinationOf(): undefined {
    return undefined
  }

  async route(request: Parameters<Router['route']>[0]): Promise<Decision> {
    // The pages about other names list those that there are.
    if (this.#router.keyOf(request.info) !== this.#key) return { kind: 'respond', response: notShared() }
    return this.#limit(await this.#router.route(request))
  }

  async recover(...attempt: Parameters<Router['recover']>): Promise<Decision> {
    return this.#limit(await this.#router.recover(...attempt))
  }

  keyOf(info: Parameters<Router['keyOf']>[0]): string | undefined {
    return this.#router.keyOf(info)
  }

  link(response: LocalResponse): LocalResponse {
    return response
  }

  close(): void {
    this.#router.close()
  }

  /** Refuses what a wait has changed into something of another service. */
  #limit(decision: Decision): Decision {
    if (decision.kind === 'respond') return { kind: 'respond', response: forVisitors(decision.response, this.#key) }
    return decision.to.key === this.#key ? decision : { kind: 'respond', response: notShared() }
  }
}
