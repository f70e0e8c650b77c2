import type { Catalog } from '../../../kernel/contract/plugin.ts'
import type { Limits } from '../limits.ts'
import type { Address } from '../upstream/dial.ts'
import { type Holds, untilTrue, within } from './hold-queue.ts'
import { Reopening, refuses } from './reconnect.ts'

/** A service's address to which a request could not be sent, or from which no response came. */
export interface Lost {
  readonly key: string
  readonly address: Address
}

/** Finds out whether a service that did not answer crashes, restarts or moves this moment, so that its requests can wait for it. */
export class Recovery {
  readonly #catalog: Catalog
  readonly #limits: Limits
  readonly #holds: Holds
  readonly #reopening: Reopening

  constructor(catalog: Catalog, limits: Limits, holds: Holds) {
    this.#catalog = catalog
    this.#limits = limits
    this.#holds = holds
    this.#reopening = new Reopening(limits.reopening)
  }

  close(): void {
    this.#reopening.close()
  }

  /** Whether the service does not run at that address any more. */
  moved({ key, address }: Lost): boolean {
    const entry = this.#catalog.get(key)
    if (entry === undefined || entry.status !== 'running') return true
    return entry.upstream !== null && (entry.upstream.host !== address.host || entry.upstream.port !== address.port)
  }

  /** Whether the service is reported to crash, restart or move within a moment. Aborted by any of the signals. */
  async changes(lost: Lost, signals: readonly AbortSignal[]): Promise<'value' | 'time' | 'abort'> {
    return (await within(this.#limits.grace, signals, signal => this.#change(lost, signal))).by
  }

  /** The same, or where the service refuses connections, whether it is found to listen again. */
  async returns(lost: Lost, refused: boolean, signals: readonly AbortSignal[]): Promise<boolean> {
    const { grace, reopening } = this.#limits
    if (!refused) {
      const by = await this.changes(lost, signals)
      if (by !== 'time') return by === 'value'
      if (!(await refuses(lost.address))) return false
    }
    const release = this.#holds.enter(lost.key)
    try {
      const waited = await within(release === undefined ? grace : grace + reopening, signals, signal =>
        Promise.race([this.#change(lost, signal).then(() => true), this.#reopening.opens(lost.address)]),
      )
      if (waited.by !== 'value' || waited.value) return waited.by === 'value'
      // That it does not was known already, perhaps: what has become of it may be reported any moment.
      return (await this.changes(lost, signals)) === 'value'
    } finally {
      release?.()
    }
  }

  #change(lost: Lost, signal: AbortSignal): Promise<void> {
    return untilTrue(this.#catalog, () => this.moved(lost), signal)
  }
}
