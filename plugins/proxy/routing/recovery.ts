import type { Catalog } from '../../../kernel/contract/plugin.ts'
import type { Limits } from '../limits.ts'
import type { Address } from '../upstream/dial.ts'
import { type HoldQueue, waitFor, waitUntil } from './hold-queue.ts'
import { isRefused, Reconnects } from './reconnect.ts'

/** A service that could not be reached, or sent no response, and the address it was tried at. */
export interface LostService {
  readonly key: string
  readonly address: Address
}

/**
 * Finds out whether a service that failed to respond is crashing, restarting or moving, so that its requests can wait
 * for it.
 */
export class Recovery {
  readonly #catalog: Catalog
  readonly #limits: Limits
  readonly #holdQueue: HoldQueue
  readonly #reconnects: Reconnects

  constructor(catalog: Catalog, limits: Limits, holdQueue: HoldQueue) {
    this.#catalog = catalog
    this.#limits = limits
    this.#holdQueue = holdQueue
    this.#reconnects = new Reconnects(limits.reconnect)
  }

  close(): void {
    this.#reconnects.close()
  }

  /** Returns whether the service no longer runs at that address. */
  hasMoved({ key, address }: LostService): boolean {
    const entry = this.#catalog.get(key)
    if (entry === undefined || entry.status !== 'running') return true
    return entry.upstream !== null && (entry.upstream.host !== address.host || entry.upstream.port !== address.port)
  }

  /** Waits a moment for an event that the service crashes, restarts or moves: `value` when it came. */
  async waitForChange(lost: LostService, signals: readonly AbortSignal[]): Promise<'value' | 'time' | 'abort'> {
    return (await waitFor(this.#limits.grace, signals, signal => this.#change(lost, signal))).by
  }

  /**
   * Waits for the same event, or where the service refuses connections, until it listens again. Returns whether one of
   * them came.
   */
  async waitForReturn(lost: LostService, refused: boolean, signals: readonly AbortSignal[]): Promise<boolean> {
    const { grace, reconnect } = this.#limits
    if (!refused) {
      const by = await this.waitForChange(lost, signals)
      if (by !== 'time') return by === 'value'
      if (!(await isRefused(lost.address))) return false
    }
    const release = this.#holdQueue.enter(lost.key)
    try {
      const waited = await waitFor(release === undefined ? grace : grace + reconnect, signals, signal =>
        Promise.race([this.#change(lost, signal).then(() => true), this.#reconnects.waitForListener(lost.address)]),
      )
      if (waited.by !== 'value' || waited.value) return waited.by === 'value'
      // A reused negative result comes at once: the event that explains it may still be on its way.
      return (await this.waitForChange(lost, signals)) === 'value'
    } finally {
      release?.()
    }
  }

  #change(lost: LostService, signal: AbortSignal): Promise<void> {
    return waitUntil(this.#catalog, () => this.hasMoved(lost), signal)
  }
}
