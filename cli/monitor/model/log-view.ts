import { isPlain } from '../../screen/glyphs.ts'
import { overlay, type Span, wrapSpans } from '../../screen/spans.ts'
import type { Entry, LogBuffer } from './log-buffer.ts'
import type { LogSearch } from './log-search.ts'

/** One row of a log on the screen: a line, or a part of one that is wider than the screen. */
export interface LogRow {
  readonly entry: Entry
  readonly spans: readonly Span[]
  /** Whether it is the first row of its line. */
  readonly isFirst: boolean
}

/** How many rows there are, and how many columns each has for text. */
export interface LogSize {
  readonly columns: number
  readonly rows: number
}

/** How what was searched for is painted: in the current line, in others. */
export interface HitStyles {
  readonly current: string
  readonly other: string
}

/** A row of a line. */
interface Position {
  readonly id: number
  readonly row: number
}

/** Which part of a log is shown: its end, which it follows, or a place that does not move when lines come. */
export class LogView {
  readonly #buffer: LogBuffer
  readonly #search: LogSearch
  /** The last row that is shown; undefined: it follows. */
  #bottom: Position | undefined
  /** Lines from this id on came after it stopped following. */
  #unseen = 0

  constructor(buffer: LogBuffer, search: LogSearch) {
    this.#buffer = buffer
    this.#search = search
  }

  get isFollowing(): boolean {
    return this.#bottom === undefined
  }

  /** How many lines came below what is shown since it stopped following. */
  get newLines(): number {
    if (this.#bottom === undefined) return 0
    const from = Math.max(this.#unseen, this.#bottom.id + 1)
    if (!this.#search.isFilter) return Math.max(0, this.#buffer.next - from)
    let count = 0
    for (let id = this.#next(from - 1); id !== undefined; id = this.#next(id)) count++
    return count
  }

  follow(): void {
    this.#bottom = undefined
  }

  /** Shows the oldest lines. */
  goToStart(): void {
    this.#stay({ id: this.#buffer.first, row: 0 })
  }

  /** Shows a line in the middle of the screen, as far as there are lines around it; it stays when others come. */
  goTo(id: number, size: LogSize): void {
    this.#stay(this.#down({ id, row: 0 }, Math.floor(size.rows / 2), size))
  }

  /** Moves by so many rows, down if positive; follows again from the end on. */
  scroll(by: number, size: LogSize): void {
    const end = this.#end(size)
    const from = this.#settle(size)
    if (from === undefined || end === undefined) return
    const to = by < 0 ? this.#up(from, -by, size) : this.#down(from, by, size)
    if (by > 0 && to.id === end.id && to.row === end.row) this.follow()
    else if (by > 0 || !this.#fits(size)) this.#stay(to)
  }

  /** Returns the rows to show, the last ones at the end of the list. */
  rows(size: LogSize, styles: HitStyles): readonly LogRow[] {
    const bottom = this.#settle(size)
    if (bottom === undefined) return []
    const rows: LogRow[] = []
    for (let id: number | undefined = bottom.id; id !== undefined && rows.length < size.rows; id = this.#previous(id)) {
      const entry = this.#buffer.get(id)
      if (entry === undefined) break
      const all = this.#wrap(entry, size, styles)
      const shown = id === bottom.id ? all.slice(0, bottom.row + 1) : all
      rows.unshift(...shown.map((spans, index) => ({ entry, spans, isFirst: index === 0 })))
    }
    return rows.slice(-size.rows)
  }

  /** Returns the last lines, at most `most`, down to the last one that is shown. */
  lastEntries(most: number): readonly Entry[] {
    const entries: Entry[] = []
    const from = this.#bottom?.id ?? this.#previous(this.#buffer.next)
    for (let id = from; id !== undefined && entries.length < most; id = this.#previous(id)) {
      const entry = this.#buffer.get(id)
      if (entry !== undefined) entries.unshift(entry)
    }
    return entries
  }

  /** Returns the id of the last line that is shown. */
  get bottomId(): number {
    return this.#bottom?.id ?? this.#buffer.next - 1
  }

  #stay(position: Position): void {
    if (this.#bottom === undefined) this.#unseen = this.#buffer.next
    this.#bottom = position
  }

  /** Returns the last row to show: further down where the rows above would not fill the screen. */
  #settle(size: LogSize): Position | undefined {
    const end = this.#end(size)
    if (end === undefined || this.#bottom === undefined) return end
    const { id, row } = this.#bottom
    const start = Math.max(id, this.#buffer.first)
    const entry = this.#buffer.get(start)
    const known = entry !== undefined && this.#search.shows(entry) ? start : (this.#next(start) ?? end.id)
    const position = { id: known, row: Math.min(row, this.#count(known, size) - 1) }
    const missing = size.rows - this.#rowsAbove(position, size)
    const settled = missing > 0 ? this.#down(position, missing, size) : position
    this.#bottom = settled
    return settled
  }

  /** Returns how many rows there are up to a position, itself included; at most those of the screen. */
  #rowsAbove({ id, row }: Position, size: LogSize): number {
    let count = row + 1
    for (let at = this.#previous(id); at !== undefined && count < size.rows; at = this.#previous(at))
      count += this.#count(at, size)
    return count
  }

  /** Whether all lines fit on the screen. */
  #fits(size: LogSize): boolean {
    const end = this.#end(size)
    return end === undefined || this.#rowsAbove(end, { ...size, rows: size.rows + 1 }) <= size.rows
  }

  #end(size: LogSize): Position | undefined {
    const id = this.#previous(this.#buffer.next)
    return id === undefined ? undefined : { id, row: this.#count(id, size) - 1 }
  }

  #up({ id, row }: Position, by: number, size: LogSize): Position {
    if (by <= row) return { id, row: row - by }
    const previous = this.#previous(id)
    if (previous === undefined) return { id, row: 0 }
    return this.#upFrom(previous, by - row - 1, size)
  }

  #upFrom(start: number, by: number, size: LogSize): Position {
    let [id, left] = [start, by]
    for (;;) {
      const count = this.#count(id, size)
      const previous = this.#previous(id)
      if (left < count || previous === undefined) return { id, row: Math.max(0, count - 1 - left) }
      left -= count
      id = previous
    }
  }

  #down(from: Position, by: number, size: LogSize): Position {
    let { id, row } = from
    let left = by
    for (;;) {
      const rest = this.#count(id, size) - 1 - row
      const next = this.#next(id)
      if (left <= rest || next === undefined) return { id, row: row + Math.min(left, rest) }
      left -= rest + 1
      id = next
      row = 0
    }
  }

  #previous(id: number): number | undefined {
    for (let at = Math.min(id, this.#buffer.next) - 1; at >= this.#buffer.first; at--) if (this.#isShown(at)) return at
    return undefined
  }

  #next(id: number): number | undefined {
    for (let at = Math.max(id + 1, this.#buffer.first); at < this.#buffer.next; at++) if (this.#isShown(at)) return at
    return undefined
  }

  #isShown(id: number): boolean {
    const entry = this.#buffer.get(id)
    return entry !== undefined && this.#search.shows(entry)
  }

  /** Returns how many rows a line takes. */
  #count(id: number, { columns }: LogSize): number {
    const entry = this.#buffer.get(id)
    if (entry === undefined) return 1
    if (isPlain(entry.plain)) return Math.max(1, Math.ceil(entry.plain.length / columns))
    return wrapSpans(entry.spans, columns).length
  }

  #wrap(entry: Entry, { columns }: LogSize, { current, other }: HitStyles): readonly (readonly Span[])[] {
    const style = entry.id === this.#search.current ? current : other
    const spans = this.#search
      .rangesIn(entry)
      .reduce<readonly Span[]>((sofar, [from, to]) => overlay(sofar, from, to, style), entry.spans)
    return wrapSpans(spans, columns)
  }
}
