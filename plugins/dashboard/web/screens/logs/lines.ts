import type { Row } from './row.ts'

/** Most lines in the page. */
export const mostLines = 100_000
/** So many more are removed at once. */
const slack = 5000
/** More than the older lines that anyone reads. */
const gap = 1_000_000_000

/** A window of lines, each with a number that it keeps: `first` is that of the oldest. */
export class Lines {
  #rows: Row[] = []
  first = 0

  get size(): number {
    return this.#rows.length
  }

  /** The number after that of the newest line. */
  get end(): number {
    return this.first + this.#rows.length
  }

  get oldest(): Row | undefined {
    return this.#rows[0]
  }

  get newest(): Row | undefined {
    return this.#rows.at(-1)
  }

  at(number: number): Row | undefined {
    return this.#rows[number - this.first]
  }

  /** Returns the rows of numbers from `from` to before `to`. */
  slice(from: number, to = this.end): readonly Row[] {
    return this.#rows.slice(Math.max(0, from - this.first), Math.max(0, to - this.first))
  }

  /** Adds newer lines. */
  append(rows: readonly Row[]): void {
    for (const row of rows) this.#rows.push(row)
  }

  /** Adds older lines. */
  prepend(rows: readonly Row[]): void {
    this.#rows = [...rows, ...this.#rows]
    this.first -= rows.length
  }

  /** Removes the oldest lines where there are too many; returns whether it did. */
  trimOldest(): boolean {
    if (this.size <= mostLines + slack) return false
    const excess = this.size - mostLines
    this.#rows.splice(0, excess)
    this.first += excess
    return true
  }

  /** Removes the newest lines where there are too many; returns whether it did. */
  trimNewest(): boolean {
    if (this.size <= mostLines + slack) return false
    this.#rows.length = mostLines
    return true
  }

  /** Replaces all lines. No number stands for another line: older ones get lower numbers, so some are left out. */
  replace(rows: readonly Row[]): void {
    this.first = this.end + gap
    this.#rows = [...rows]
  }
}
