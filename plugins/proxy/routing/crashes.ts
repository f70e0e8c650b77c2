import type { LocaldEvent, ServiceView } from '../../../kernel/contract/plugin.ts'
import type { Head } from '../message/request-info.ts'

/** What was seen of one service. */
interface Seen {
  restarts: number
  status: string
  /** How many runs were begun by request: the first, those after a stop, a failure or a change. */
  run: number
  /** performance.now() of its last crash, and why. */
  crashedAt: number
  reason: string
  /** Requests that were with it when it crashed in this run, and how often. */
  readonly suspects: Map<string, number>
}

/** So many requests of a service are remembered: a page of hundreds of modules fits. */
const mostSuspects = 1024
/** Statuses of a service that was not ended by request. */
const over: ReadonlySet<string> = new Set(['failed', 'exited'])

/**
 * Remembers which requests were with a service when it crashed. Neither the proxy nor a page of its own repeats one a second time:
 * else a single visit to a URL that crashes its service would use up the restarts that the service has.
 */
export class Crashes {
  readonly #services = new Map<string, Seen>()

  /** Follows the services; to be called with each event. */
  hear(event: LocaldEvent): void {
    if (event.event === 'removed') this.#services.delete(event.key)
    if (event.event === 'service') this.#see(event.service)
  }

  /** Counts the runs of a service that were begun by request, not by its restart policy. */
  run(key: string): number {
    return this.#services.get(key)?.run ?? 0
  }

  /** Why a service has crashed since a time (performance.now()); undefined where it has not. */
  since(key: string, time: number): string | undefined {
    const seen = this.#services.get(key)
    return seen !== undefined && seen.crashedAt >= time ? seen.reason : undefined
  }

  /** Notes a request that was with the service when it crashed. Returns how often it was. */
  suspect(key: string, { method, name, path }: Head): number {
    const suspects = this.#services.get(key)?.suspects
    if (suspects === undefined) return 1
    const request = `${method} ${name}${path}`
    const count = (suspects.get(request) ?? 0) + 1
    if (suspects.size >= mostSuspects) suspects.clear()
    suspects.set(request, count)
    return count
  }

  #see({ key, status, restarts, reason }: ServiceView): void {
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
    } else if (isRestarted(before, status, restarts) || (over.has(status) && !over.has(before.status))) {
      before.crashedAt = performance.now()
      before.reason = causeOf(reason)
    }
    before.restarts = restarts
    before.status = status
  }
}

/** Whether its restart policy starts it again; a restart for a change of files is counted when it has begun. */
function isRestarted(before: Seen, status: string, restarts: number): boolean {
  return restarts > before.restarts && status === 'restarting'
}

/** How it ended, without what comes next: "it exited with code 1; starting again in 0.1 s (1 of 5)". */
function causeOf(reason: string | null): string {
  const how = (reason ?? '').split('; ').find(part => /\b(exited|ended|SIG[A-Z]+)\b/.test(part)) ?? reason ?? ''
  return how.replace(/^it /, '')
}
