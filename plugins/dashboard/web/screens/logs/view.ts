import { isAtLeast, levelOf } from '../../../../../kernel/logs/level.ts'
import type { LogLevel } from '../../../../../kernel/protocol.ts'
import type { Lines } from './lines.ts'
import { type Matcher, TextMatcher } from './matcher.ts'
import type { Range } from './range.ts'
import { RegexFinder } from './regex-finder.ts'
import type { Row } from './row.ts'

/** Which lines are shown, and which are hits. */
export interface Selection {
  readonly matcher: Matcher | undefined
  /** Whether only hits are shown. */
  readonly isFilter: boolean
  readonly level: LogLevel
}

/** Reading goes on in a later frame after so long, ms: keys of the user come between. */
const sliceMs = 6
/** Lines that are read at once. */
const chunkLines = 1000
/** Lines that an expression is run on at once, in a worker. */
const workLines = 10_000

/** What is found in a line: its hits, where they are known already. */
type Finding = readonly Range[] | boolean

/**
 * The lines of a window that are shown, and the hits among them, by their numbers. It reads each line once, the newest
 * first, in short turns.
 */
export class View {
  readonly #lines: Lines
  readonly #changed: () => void
  #selection: Selection = { matcher: undefined, isFilter: false, level: 'debug' }
  /** Undefined: all lines are shown. */
  #shown: number[] | undefined
  #hits: number[] = []
  /** Of lines that an expression was run on. */
  readonly #ranges = new Map<number, readonly Range[]>()
  /** The numbers that are read, from, to before. */
  #from = 0
  #to = 0
  /** Rises when the answer of a worker is for numbers that are not wanted any longer. */
  #epoch = 0
  #isWaiting = false
  /** Why the expression is not used. */
  problem: string | undefined

  /** @param changed called when a worker has answered */
  constructor(lines: Lines, changed: () => void) {
    this.#lines = lines
    this.#changed = changed
  }

  get size(): number {
    return this.#shown?.length ?? this.#lines.size
  }

  get hits(): readonly number[] {
    return this.#hits
  }

  /** Returns the number of the line in a place of the view. */
  numberAt(place: number): number | undefined {
    return this.#shown === undefined ? this.#lines.first + place : this.#shown[place]
  }

  /** Returns the place of the line with a number, or of the next one that is shown. */
  placeOf(number: number): number {
    return this.#shown === undefined ? number - this.#lines.first : lowerBound(this.#shown, number)
  }

  /** Returns what to mark in a line; a matcher that is to mark it, or the hits. */
  marksOf(number: number): TextMatcher | readonly Range[] | undefined {
    const { matcher } = this.#selection
    return matcher instanceof TextMatcher ? matcher : this.#ranges.get(number)
  }

  select(selection: Selection): void {
    const { matcher } = this.#selection
    if (matcher instanceof RegexFinder && matcher !== selection.matcher) matcher.close()
    this.#selection = selection
    this.problem = undefined
    this.#reset()
  }

  close(): void {
    if (this.#selection.matcher instanceof RegexFinder) this.#selection.matcher.close()
  }

  /** Reads what was added to the window, and forgets what was removed; returns whether there is more to read. */
  update(): boolean {
    const { first, end } = this.#lines
    if (first > this.#to || end < this.#from) this.#reset()
    if (this.#to > end) this.#cut(end)
    if (first > this.#from) this.#drop(first)
    const { matcher } = this.#selection
    if (matcher === undefined && this.#shown === undefined) {
      this.#from = first
      this.#to = end
      return false
    }
    for (const until = performance.now() + sliceMs; performance.now() < until; ) {
      const next = this.#next(matcher instanceof RegexFinder ? workLines : chunkLines)
      if (next === undefined || this.#isWaiting) return false
      const rows = this.#lines.slice(...next)
      if (matcher instanceof RegexFinder) void this.#ask(matcher, next, rows)
      else this.#add(next, rows, matcher === undefined ? undefined : rows.map(({ plain }) => matcher.test(plain)))
    }
    return true
  }

  /** Returns numbers that are to be read: new ones, then older ones. */
  #next(most: number): readonly [number, number] | undefined {
    const { first, end } = this.#lines
    if (this.#to < end) return [this.#to, Math.min(end, this.#to + most)]
    return this.#from > first ? [Math.max(first, this.#from - most), this.#from] : undefined
  }

  async #ask(finder: RegexFinder, next: readonly [number, number], rows: readonly Row[]): Promise<void> {
    const epoch = this.#epoch
    this.#isWaiting = true
    try {
      const found = await finder.find(rows.map(({ plain }) => plain))
      if (epoch !== this.#epoch) return
      this.#isWaiting = false
      this.#add(
        next,
        rows,
        found.map(ranges => ranges ?? false),
      )
    } catch (error) {
      if (epoch !== this.#epoch) return
      this.select({ ...this.#selection, matcher: undefined })
      this.problem = error instanceof Error ? error.message : String(error)
    }
    this.#changed()
  }

  #reset(): void {
    const { isFilter, level, matcher } = this.#selection
    this.#shown = (isFilter && matcher !== undefined) || level !== 'debug' ? [] : undefined
    this.#hits = []
    this.#ranges.clear()
    this.#from = this.#to = this.#lines.end
    this.#forget()
  }

  #forget(): void {
    this.#epoch += 1
    this.#isWaiting = false
  }

  #add([from, to]: readonly [number, number], rows: readonly Row[], found: readonly Finding[] | undefined): void {
    const { isFilter, level } = this.#selection
    const shown: number[] = []
    const hits: number[] = []
    rows.forEach((row, at) => {
      if (level !== 'debug' && !isAtLeast(levelOf(row.plain, row.stream), level)) return
      const finding = found?.[at] ?? false
      if (finding !== false) hits.push(from + at)
      if (typeof finding === 'object') this.#ranges.set(from + at, finding)
      if (finding !== false || !isFilter || found === undefined) shown.push(from + at)
    })
    const isOlder = from < this.#from
    this.#hits = isOlder ? [...hits, ...this.#hits] : add(this.#hits, hits)
    if (this.#shown !== undefined) this.#shown = isOlder ? [...shown, ...this.#shown] : add(this.#shown, shown)
    this.#from = Math.min(this.#from, from)
    this.#to = Math.max(this.#to, to)
  }

  #drop(first: number): void {
    for (const number of this.#hits.splice(0, lowerBound(this.#hits, first))) this.#ranges.delete(number)
    this.#shown?.splice(0, lowerBound(this.#shown, first))
    this.#from = first
    this.#forget()
  }

  #cut(end: number): void {
    for (const number of this.#hits.splice(lowerBound(this.#hits, end))) this.#ranges.delete(number)
    this.#shown?.splice(lowerBound(this.#shown, end))
    this.#to = end
    this.#forget()
  }
}

function add(to: number[], numbers: readonly number[]): number[] {
  for (const number of numbers) to.push(number)
  return to
}

/** Returns the place of the first number that is not below another one, in a sorted list. */
export function lowerBound(sorted: readonly number[], number: number): number {
  let [low, high] = [0, sorted.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if ((sorted[middle] ?? 0) < number) low = middle + 1
    else high = middle
  }
  return low
}
