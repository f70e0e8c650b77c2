import type { Catalog, CatalogEntry, Status } from '../../../kernel/contract/plugin.ts'
import type { Limits } from '../limits.ts'
import { type About, type Answer, newsAnswer } from '../pages/responses.ts'
import { type Address, addressOf } from '../upstream/dial.ts'
import type { Crashes } from './crashes.ts'
import type { Case } from './decision.ts'
import { type Holds, untilTrue, within } from './hold-queue.ts'
import { refuses } from './reconnect.ts'

/** What the pages' questions are answered with. */
export interface NewsParts {
  readonly catalog: Catalog
  readonly limits: Limits
  readonly holds: Holds
  readonly crashes: Crashes
  readonly closing: AbortSignal
  readonly about: (entry: CatalogEntry) => Promise<About>
}

export const pending: ReadonlySet<Status> = new Set(['waiting', 'starting', 'restarting'])

/** Answers the pages of services that could not be reached: whether to reload. It waits for an event that says so, for a while. */
export class News {
  readonly #parts: NewsParts

  constructor(parts: NewsParts) {
    this.#parts = parts
  }

  /** @param asked what the page waits for: one of `Awaited`, with the number of the run for `run` */
  async answer({ key }: CatalogEntry, asked: string, request: Case): Promise<Answer> {
    const { catalog, limits, holds, closing, about } = this.#parts
    const [what = '', run = ''] = asked.split(' ')
    const isOver = (): boolean => {
      const entry = catalog.get(key)
      return entry === undefined || this.#isOver(entry, what, Number(run))
    }
    const release = holds.enter(key)
    try {
      const patience = what === 'open' ? limits.poll * 2 : isLong(what) ? limits.longPoll : limits.poll
      const signals = [request.gone(), closing]
      await within(release === undefined ? 0 : patience, signals, signal => untilTrue(catalog, isOver, signal))
      const entry = catalog.get(key)
      if (isOver() || entry === undefined) return newsAnswer('reload')
      if (what === 'open' && !(await refusesAt(addressOf(entry, request.head.name)))) return newsAnswer('reload')
      return newsAnswer(isLong(what) || what === 'open' ? 'stay' : await about(entry))
    } finally {
      release?.()
    }
  }

  #isOver(entry: CatalogEntry, what: string, run: number): boolean {
    const { key, status, fault } = entry
    if (what === 'start') return status === 'running' || pending.has(status)
    if (what === 'fault') return fault === undefined
    if (what === 'open') return status !== 'running' || fault !== undefined
    if (what === 'run') return this.#parts.crashes.run(key) !== run
    return !pending.has(status) || fault !== undefined
  }
}

/** Nothing on the page changes meanwhile. */
function isLong(what: string): boolean {
  return what === 'start' || what === 'fault' || what === 'run'
}

async function refusesAt(address: Address | undefined): Promise<boolean> {
  return address === undefined || (await refuses(address))
}
