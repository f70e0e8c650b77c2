import type { Catalog, CatalogEntry, Status } from '../../../kernel/contract/plugin.ts'
import type { Limits } from '../limits.ts'
import { type LocalResponse, reloadResponse, type ServiceDetails } from '../pages/responses.ts'
import { type Address, addressOf } from '../upstream/dial.ts'
import type { Crashes } from './crashes.ts'
import type { RequestContext } from './decision.ts'
import { type HoldQueue, waitFor, waitUntil } from './hold-queue.ts'
import { isRefused } from './reconnect.ts'

/** What polls are answered from. */
export interface PageReloadParts {
  readonly catalog: Catalog
  readonly limits: Limits
  readonly holdQueue: HoldQueue
  readonly crashes: Crashes
  readonly closing: AbortSignal
  readonly details: (entry: CatalogEntry) => Promise<ServiceDetails>
}

export const pending: ReadonlySet<Status> = new Set(['waiting', 'starting', 'restarting'])

/**
 * Answers the polls of error pages, which reload when their service has changed: each poll waits for that event for a
 * while.
 */
export class PageReloads {
  readonly #parts: PageReloadParts

  constructor(parts: PageReloadParts) {
    this.#parts = parts
  }

  /** @param awaited what the page waits for: one of `Awaited`, followed by the number of the run for `run` */
  async answer({ key }: CatalogEntry, awaited: string, request: RequestContext): Promise<LocalResponse> {
    const { catalog, limits, holdQueue, closing, details } = this.#parts
    const [event = '', run = ''] = awaited.split(' ')
    const hasHappened = (): boolean => {
      const entry = catalog.get(key)
      return entry === undefined || this.#hasHappened(entry, event, Number(run))
    }
    const release = holdQueue.enter(key)
    try {
      const timeout = event === 'open' ? limits.poll * 2 : isStatic(event) ? limits.longPoll : limits.poll
      const signals = [request.signal(), closing]
      await waitFor(release === undefined ? 0 : timeout, signals, signal => waitUntil(catalog, hasHappened, signal))
      const entry = catalog.get(key)
      if (hasHappened() || entry === undefined) return reloadResponse('reload')
      if (event === 'open' && !(await isRefusedAt(addressOf(entry, request.info.name)))) return reloadResponse('reload')
      return reloadResponse(isStatic(event) || event === 'open' ? 'stay' : await details(entry))
    } finally {
      release?.()
    }
  }

  #hasHappened(entry: CatalogEntry, event: string, run: number): boolean {
    const { key, status, fault } = entry
    if (event === 'start') return status === 'running' || pending.has(status)
    if (event === 'fault') return fault === undefined
    if (event === 'open') return status !== 'running' || fault !== undefined
    if (event === 'run') return this.#parts.crashes.run(key) !== run
    return !pending.has(status) || fault !== undefined
  }
}

/** Whether the page shows nothing that changes before it reloads. */
function isStatic(event: string): boolean {
  return event === 'start' || event === 'fault' || event === 'run'
}

async function isRefusedAt(address: Address | undefined): Promise<boolean> {
  return address === undefined || (await isRefused(address))
}
