import type { Entry, LogBuffer } from './log-buffer.ts'

/** A search in a log: text that is highlighted, and where it was found. */
export class LogSearch {
  readonly #buffer: LogBuffer
  #term = ''
  #pattern: RegExp | undefined
  /** Ids of lines with the text, oldest first. */
  #hits: number[] = []
  /** Whether only lines with the text are shown. */
  isFilter = false
  /** The id of the line that `older` and `newer` came to. */
  current: number | undefined

  constructor(buffer: LogBuffer) {
    this.#buffer = buffer
  }

  get term(): string {
    return this.#term
  }

  get isOn(): boolean {
    return this.#pattern !== undefined
  }

  /** The number of lines with the text, and that of the current one, from 1; 0: there is none. */
  get count(): { readonly all: number; readonly at: number } {
    this.#prune()
    const index = this.current === undefined ? -1 : this.#hits.indexOf(this.current)
    return { all: this.#hits.length, at: index + 1 }
  }

  /** Searches for a text; letters of both cases match where it has small letters only. Empty: no search. */
  set(term: string): void {
    this.#term = term
    this.current = undefined
    const literal = term.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
    this.#pattern = term === '' ? undefined : new RegExp(literal, term === term.toLowerCase() ? 'gi' : 'g')
    if (term === '') this.isFilter = false
    this.reset()
  }

  /** Searches the buffer from its start, as after it was filled with another log. */
  reset(): void {
    this.#hits = []
    for (let id = this.#buffer.first; id < this.#buffer.next; id++) this.#look(this.#buffer.get(id))
  }

  /** Looks at lines that are new or have changed. */
  add(entries: readonly Entry[]): void {
    if (this.#pattern === undefined) return
    for (const entry of entries) if (!this.#hits.includes(entry.id, -8)) this.#look(entry)
    this.#prune()
  }

  /** Whether a line is shown. */
  shows(entry: Entry): boolean {
    return !this.isFilter || this.#pattern === undefined || this.rangesIn(entry).length > 0
  }

  /** Returns where the text is in a line, as UTF-16 units. */
  rangesIn(entry: Entry): readonly (readonly [from: number, to: number])[] {
    if (this.#pattern === undefined) return []
    return [...entry.plain.matchAll(this.#pattern)].map(({ index, 0: found }) => [index, index + found.length])
  }

  /** Makes the next older (-1) or newer (1) line the current one; from `from` where there is none. */
  step(direction: -1 | 1, from: number): number | undefined {
    this.#prune()
    const at = this.current ?? (direction < 0 ? from + 1 : from - 1)
    const next = direction < 0 ? this.#hits.findLast(id => id < at) : this.#hits.find(id => id > at)
    if (next !== undefined) this.current = next
    return next
  }

  #look(entry: Entry | undefined): void {
    if (entry === undefined || this.#pattern === undefined) return
    // Not by `test`, which moves where `matchAll` begins.
    if (entry.plain.search(this.#pattern) >= 0) this.#hits.push(entry.id)
  }

  /** Forgets lines that the buffer has dropped. */
  #prune(): void {
    const dropped = this.#hits.findIndex(id => id >= this.#buffer.first)
    if (dropped !== 0) this.#hits.splice(0, dropped < 0 ? this.#hits.length : dropped)
  }
}
