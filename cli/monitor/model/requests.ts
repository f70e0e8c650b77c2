import type { ExchangeView } from '../../../plugins/proxy/provides.ts'
import { type Fits, parseFilter } from './request-filter.ts'

/** A request, and the number of its arrival. */
interface Kept {
  readonly number: number
  readonly row: ExchangeView
}

/** The most requests that are kept; so many are dropped at a time. */
const most = 2000
const step = 200

/** The latest requests, which of them are shown, and the selected one: the newest, unless another was chosen. */
export class Requests {
  readonly #kept = new Map<string, Kept>()
  #next = 0
  #filter = ''
  #fits: Fits = () => true
  /** Undefined: the newest. */
  #chosen: Kept | undefined
  /** Requests from this number on came after one was chosen. */
  #unseen = 0
  /** Why there are none. */
  problem: string | undefined

  get filter(): string {
    return this.#filter
  }

  set filter(text: string) {
    this.#filter = text.trim()
    this.#fits = parseFilter(text)
  }

  get isFollowing(): boolean {
    return this.#chosen === undefined
  }

  clear(): void {
    this.#kept.clear()
    this.#chosen = undefined
  }

  /** Adds requests, or replaces what is known of them. */
  add(rows: readonly ExchangeView[]): void {
    for (const row of rows) {
      const number = this.#kept.get(row.id)?.number ?? this.#next++
      this.#kept.set(row.id, { number, row })
    }
    if (this.#kept.size < most + step) return
    for (const id of [...this.#kept.keys()].slice(0, this.#kept.size - most)) this.#kept.delete(id)
  }

  /** Returns those that are shown, of services that `isOf` takes, the oldest first. */
  shown(isOf: Fits): readonly ExchangeView[] {
    const rows: ExchangeView[] = []
    for (const { row } of this.#kept.values()) if (isOf(row) && this.#fits(row)) rows.push(row)
    return rows
  }

  /** Returns the place of the selected one: of a chosen one that is not shown now, of the next newer one. */
  indexIn(shown: readonly ExchangeView[]): number {
    const { number } = this.#chosen ?? { number: Number.POSITIVE_INFINITY }
    const index = shown.findIndex(({ id }) => (this.#kept.get(id)?.number ?? 0) >= number)
    return index < 0 ? shown.length - 1 : index
  }

  /** Returns how many of those came since one was chosen. */
  newIn(shown: readonly ExchangeView[]): number {
    if (this.#chosen === undefined) return 0
    const from = Math.max(this.#unseen, this.#chosen.number + 1)
    return shown.filter(({ id }) => (this.#kept.get(id)?.number ?? 0) >= from).length
  }

  /** Selects the one so many rows further down; from the newest on it follows. */
  move(shown: readonly ExchangeView[], by: number): void {
    const index = Math.max(0, this.indexIn(shown) + by)
    const row = shown[index]
    if (row === undefined || index === shown.length - 1) this.follow()
    else this.choose(row.id)
  }

  choose(id: string): void {
    if (this.#chosen === undefined) this.#unseen = this.#next
    this.#chosen = this.#kept.get(id)
  }

  /** Selects the newest, also when there are newer ones. */
  follow(): void {
    this.#chosen = undefined
  }
}
