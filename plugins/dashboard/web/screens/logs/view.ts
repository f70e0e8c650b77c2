import type { Lines } from './lines.ts'
import type { Matcher } from './matcher.ts'
import { type Level, levelOf, levels, type Row } from './row.ts'

/** Which lines are shown, and which are hits. */
export interface Selection {
  readonly matcher: Matcher | undefined
  /** Whether only hits are shown. */
  readonly isFilter: boolean
  readonly level: Level
}

/** The lines of a window that are shown, and the hits among them, by their numbers. It reads only new lines. */
export class View {
  readonly #lines: Lines
  #selection: Selection = { matcher: undefined, isFilter: false, level: 'debug' }
  /** Undefined: all lines are shown. */
  #shown: number[] | undefined
  #hits: number[] = []
  #from = 0
  #to = 0

  constructor(lines: Lines) {
    this.#lines = lines
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

  select(selection: Selection): void {
    this.#selection = selection
    this.#reset()
    this.update()
  }

  /** Reads what was added to the window, and forgets what was removed. */
  update(): void {
    const { first, end } = this.#lines
    if (first > this.#to || end < this.#from) this.#reset()
    if (this.#to > end) this.#cut(end)
    if (first > this.#from) this.#drop(first)
    if (first < this.#from) this.#read(first, this.#from, true)
    if (end > this.#to) this.#read(this.#to, end, false)
    this.#from = first
    this.#to = end
  }

  #reset(): void {
    const { isFilter, level, matcher } = this.#selection
    this.#shown = (isFilter && matcher !== undefined) || level !== 'debug' ? [] : undefined
    this.#hits = []
    this.#from = this.#to = this.#lines.first
  }

  #read(from: number, to: number, isOlder: boolean): void {
    const { matcher, isFilter, level } = this.#selection
    if (matcher === undefined && this.#shown === undefined) return
    const shown: number[] = []
    const hits: number[] = []
    const lowest = levels.indexOf(level)
    this.#lines.slice(from, to).forEach((row, at) => {
      if (lowest > 0 && !isOf(row, lowest)) return
      const isHit = matcher?.test(row.plain) ?? false
      if (isHit) hits.push(from + at)
      if (isHit || !isFilter || matcher === undefined) shown.push(from + at)
    })
    this.#hits = isOlder ? [...hits, ...this.#hits] : add(this.#hits, hits)
    if (this.#shown !== undefined) this.#shown = isOlder ? [...shown, ...this.#shown] : add(this.#shown, shown)
  }

  #drop(first: number): void {
    this.#hits.splice(0, lowerBound(this.#hits, first))
    this.#shown?.splice(0, lowerBound(this.#shown, first))
    this.#from = first
  }

  #cut(end: number): void {
    this.#hits.length = lowerBound(this.#hits, end)
    if (this.#shown !== undefined) this.#shown.length = lowerBound(this.#shown, end)
    this.#to = end
  }
}

function isOf(row: Row, lowest: number): boolean {
  return levels.indexOf(levelOf(row)) >= lowest
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
