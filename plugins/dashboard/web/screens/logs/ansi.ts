import Anser from 'anser'
import { colouredOf } from '../../../../../kernel/logs/plain-text.ts'
import type { Range } from './range.ts'

/** A piece of a line. */
export interface Span {
  readonly text: string
  readonly classes: string
  readonly isHit: boolean
}

/** A longer line is shown to here. */
export const longest = 4000

const names = ['black', 'red', 'green', 'yellow', 'blue', 'magenta', 'cyan', 'white'] as const

/** Returns the pieces of a line: its colours as classes, its hits. */
export function spansOf(text: string, ranges: readonly Range[]): readonly Span[] {
  const coloured = colouredOf(text.length > longest ? text.slice(0, longest) : text)
  if (!coloured.includes('\x1b')) return cut([{ text: coloured, classes: '' }], ranges)
  const entries = Anser.ansiToJson(coloured, { json: true, remove_empty: true, use_classes: true })
  return cut(
    entries.map(entry => ({ text: entry.content.replaceAll('\x1b', ''), classes: classesOf(entry) })),
    ranges,
  )
}

interface Colours {
  readonly fg: string
  readonly bg: string
  readonly fg_truecolor: string | null
  readonly bg_truecolor: string | null
  readonly decorations: readonly string[]
}

function classesOf({ fg, bg, fg_truecolor, bg_truecolor, decorations }: Colours): string {
  const front = nameOf(fg, fg_truecolor)
  const back = nameOf(bg, bg_truecolor)
  const words = [
    front === undefined ? '' : `fg-${front}`,
    back === undefined ? '' : `bg-${back}`,
    ...decorations.map(name => `is-${name}`),
  ]
  return words.filter(word => word !== '').join(' ')
}

/** Returns one of the 16 names for a colour: the themes have legible ones for these alone. */
function nameOf(name: string | null, rgb: string | null): string | undefined {
  if (name === null || name === '') return undefined
  if (name === 'ansi-truecolor') return nearest((rgb ?? '').split(',').map(Number))
  const [, palette] = /^ansi-palette-(\d+)$/.exec(name) ?? []
  return palette === undefined ? name.replace(/^ansi-/, '') : nearest(paletteColour(Number(palette)))
}

function paletteColour(index: number): readonly number[] {
  if (index >= 232) return Array.from({ length: 3 }, () => 8 + (index - 232) * 10)
  const cube = index - 16
  return [Math.floor(cube / 36), Math.floor(cube / 6) % 6, cube % 6].map(step => (step === 0 ? 0 : 55 + step * 40))
}

function nearest([red = 0, green = 0, blue = 0]: readonly number[]): string | undefined {
  const high = Math.max(red, green, blue)
  // Greys: the ink of the page.
  if (high - Math.min(red, green, blue) < 40) return high < 140 ? 'bright-black' : undefined
  const bit = (value: number, at: number) => (value > high * 0.6 ? at : 0)
  return names[bit(red, 1) + bit(green, 2) + bit(blue, 4)]
}

/** Cuts pieces where hits begin and end. */
function cut(pieces: readonly { readonly text: string; readonly classes: string }[], ranges: readonly Range[]): Span[] {
  const spans: Span[] = []
  let at = 0
  let next = 0
  for (const { text, classes } of pieces) {
    for (let from = 0; from < text.length; ) {
      while ((ranges[next]?.[1] ?? Number.POSITIVE_INFINITY) <= at + from) next++
      const [start, end] = ranges[next] ?? [Number.POSITIVE_INFINITY, 0]
      const isHit = start <= at + from
      const to = Math.min(text.length, (isHit ? end : start) - at)
      spans.push({ text: text.slice(from, to), classes, isHit })
      from = to
    }
    at += text.length
  }
  return spans
}
