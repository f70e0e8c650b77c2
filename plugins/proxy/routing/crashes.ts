import type { LocaldEvent, ServiceView } from '../../../kernel/contract/plugin.ts'
import type { RequestInfo } from '../message/request-info.ts'

/** The state of one service after the last event. */
interface ServiceState {
  restarts: number
  status: string
  /** Number of starts that a user or a file change caused: all but those of the restart policy. */
  run: number
  /** performance.now() of its last crash, and the cause. */
  crashedAt: number
  reason: string
  /** Requests in flight when it crashed in this run, and how often each was. */
  readonly suspects: Map<string, number>
}

/** Requests remembered for each service: a page of hundreds of modules fits. */
const maxSuspects = 1024
/** Statuses of a service that exited without being stopped. */
const exited: ReadonlySet<string> = new Set(['failed', 'exited'])

/**
 * Remembers which requests were in flight when a service crashed. Neither the proxy nor one of its pages retries such a
 * request twice: a single visit to a URL that crashes its service would otherwise use up the service's restarts.
 */
export class Crashes {
  readonly #services = new Map<string, ServiceState>()

  /** Updates the state of a service; to be called with each event. */
  handle(event: LocaldEvent): void {
    if (event.event === 'removed') this.#services.delete(event.key)
    if (event.event === 'service') this.#update(event.service)
  }

  /** Returns how often a service was started by a user or a file change, not by its restart policy. */
  run(key: string): number {
    return this.#services.get(key)?.run ?? 0
  }

  /** Returns why a service has crashed since a time (performance.now()); undefined when it has not. */
  since(key: string, time: number): string | undefined {
    const state = this.#services.get(key)
    return state !== undefined && state.crashedAt >= time ? state.reason : undefined
  }

  /** Records a request in flight when the service crashed, and returns how often it was. */
  suspect(key: string, { method, name, path }: RequestInfo): number {
    const suspects = this.#services.get(key)?.suspects
    if (suspects === undefined) return 1
    const request = `${method} ${name}${path}`
    const count = (suspects.get(request) ?? 0) + 1
    if (suspects.size >= maxSuspects) suspects.clear()
    suspects.set(request, count)
    return count
  }

  #update({ key, status, restarts, reason }: ServiceView): void {
    const before = this.#services.get(key)
    if (before === undefined) {
      const never = Number.NEGATIVE_INFINITY
      this.#services.set(key, { restarts, status, run: 0, crashedAt: never, reason: '', suspects: new Map() })
      return
    }
    const isNew = (status === 'waiting' && before.status !== 'waiting') || restarts < before.restarts
    if (isNew) {
      before.run++
      before.suspects.clear()
    } else if (isRestarted(before, status, restarts) || (exited.has(status) && !exited.has(before.status))) {
      before.crashedAt = performance.now()
      before.reason = causeOf(reason)
    }
    before.restarts = restarts
    before.status = status
  }
}

/** Whether the restart policy restarts it; a restart after a file change is counted once it has begun. */
function isRestarted(before: ServiceState, status: string, restarts: number): boolean {
  return restarts > before.restarts && status === 'restarting'
}

/**
 * Returns the part of a reason that names the exit: "exited with code 1" of "exited with code 1; restarting in 0.1 s
 * (attempt 1 of 5)".
 */
function causeOf(reason: string | null): string {
  const cause = (reason ?? '').split('; ').find(part => /\b(exited|SIG[A-Z]+)\b/.test(part)) ?? reason ?? ''
  return cause.replace(/^it /, '')
}
