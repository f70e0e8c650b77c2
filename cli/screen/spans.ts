import { columnsOf, isPlain, splitGlyphs } from './glyphs.ts'

/** Text of one style, as in a `Grid`. */
export interface Span {
  readonly text: string
  readonly style: string
}

const sgr = /\x1b\[([\d;:]*)m/g
const tabStop = 8

/** The attributes that a service has set: each by the parameter that sets it. */
interface Look {
  readonly attributes: Set<string>
  ink: string
  ground: string
}

/** Splits text with sequences of Select Graphic Rendition (ECMA-48 8.3.117) into spans; tabs become spaces. */
export function parseSpans(text: string): readonly Span[] {
  const spans: Span[] = []
  const look: Look = { attributes: new Set(), ink: '', ground: '' }
  let column = 0
  const add = (part: string) => {
    if (part === '') return
    const expanded = expandTabs(part, column)
    column += expanded.length
    spans.push({ text: expanded, style: styleOf(look) })
  }
  let at = 0
  for (const found of text.matchAll(sgr)) {
    add(text.slice(at, found.index))
    at = found.index + found[0].length
    apply(look, found[1] ?? '')
  }
  add(text.slice(at))
  return spans
}

/** Returns the text of spans. */
export function textOf(spans: readonly Span[]): string {
  return spans.map(({ text }) => text).join('')
}

/** Adds a style to the text between two places (UTF-16 units). */
export function overlay(spans: readonly Span[], from: number, to: number, style: string): readonly Span[] {
  let at = 0
  return spans.flatMap(span => {
    const start = at
    at += span.text.length
    const [first, last] = [Math.max(from, start), Math.min(to, at)]
    if (first >= last) return [span]
    return [
      { ...span, text: span.text.slice(0, first - start) },
      { text: span.text.slice(first - start, last - start), style },
      { ...span, text: span.text.slice(last - start) },
    ].filter(({ text }) => text !== '')
  })
}

/** Breaks spans into rows of so many columns, at least one. */
export function wrapSpans(spans: readonly Span[], columns: number): readonly (readonly Span[])[] {
  const rows: Span[][] = [[]]
  let left = columns
  const add = (span: Span, width: number) => {
    rows.at(-1)?.push(span)
    left -= width
  }
  const startRow = () => {
    rows.push([])
    left = columns
  }
  for (const { text, style } of spans) {
    if (isPlain(text)) {
      for (let at = 0; at < text.length; ) {
        if (left === 0) startRow()
        const part = text.slice(at, at + left)
        at += part.length
        add({ text: part, style }, part.length)
      }
      continue
    }
    for (const glyph of splitGlyphs(text)) {
      if (glyph.width > left) startRow()
      if (glyph.width <= columns) add({ text: glyph.text, style }, glyph.width)
    }
  }
  return rows
}

/** Breaks spans between words into rows of so many columns, each further one as far in as the first. */
export function wrapWords(spans: readonly Span[], columns: number): readonly (readonly Span[])[] {
  const [lead = ''] = /^ */.exec(textOf(spans)) ?? []
  const indent: Span = { text: lead.slice(0, Math.floor(columns / 2)), style: '' }
  const rows: Span[][] = [[]]
  let used = 0
  for (const word of spans.flatMap(wordsOf)) {
    const width = columnsOf(word.text)
    if (used > 0 && used + width > columns && word.text.trim() === '') {
      rows.at(-1)?.push({ ...word, text: word.text.slice(0, columns - used) })
      used = columns
      continue
    }
    if (used > indent.text.length && used + width > columns) {
      rows.push([indent])
      used = indent.text.length
    }
    const [first = [], ...rest] = wrapSpans([word], Math.max(1, columns - used))
    rows.at(-1)?.push(...first)
    for (const row of rest) rows.push([...row])
    used = rest.length === 0 ? used + width : columnsOf(textOf(rest.at(-1) ?? []))
  }
  return rows
}

function wordsOf({ text, style }: Span): readonly Span[] {
  return text.split(/( +)/).flatMap(word => (word === '' ? [] : [{ text: word, style }]))
}

function expandTabs(text: string, column: number): string {
  if (!text.includes('\t')) return text
  let expanded = ''
  for (const part of text.split(/(\t)/)) {
    const used = column + expanded.length
    expanded += part === '\t' ? ' '.repeat(tabStop - (used % tabStop)) : part
  }
  return expanded
}

function styleOf({ attributes, ink, ground }: Look): string {
  return [...[...attributes].sort(), ink, ground].filter(part => part !== '').join(';')
}

/** What switches an attribute off. */
const ends: Readonly<Record<string, readonly string[]>> = {
  '22': ['1', '2'],
  '23': ['3'],
  '24': ['4'],
  '27': ['7'],
  '29': ['9'],
}
/** Bold, faint, italic, underlined, inverse, crossed out; blinking and hidden text are not shown as such. */
const kept = new Set(['1', '2', '3', '4', '7', '9'])

function apply(look: Look, parameters: string): void {
  const list = parameters === '' ? ['0'] : parameters.split(';')
  for (let index = 0; index < list.length; index++) {
    const code = String(Number(list[index]?.split(':')[0] ?? 0))
    if (code === '38' || code === '48') {
      const { colour, used } = readColour(list, index)
      if (code === '38') look.ink = colour
      else look.ground = colour
      index += used
    } else applyCode(look, code, list[index] ?? '')
  }
}

function applyCode(look: Look, code: string, whole: string): void {
  const value = Number(code)
  if (code === '0') {
    look.attributes.clear()
    look.ink = ''
    look.ground = ''
  } else if (whole === '4:0') look.attributes.delete('4')
  else if (kept.has(code)) look.attributes.add(code)
  else if (ends[code] !== undefined) for (const attribute of ends[code]) look.attributes.delete(attribute)
  else if ((value >= 30 && value <= 37) || (value >= 90 && value <= 97)) look.ink = code
  else if ((value >= 40 && value <= 47) || (value >= 100 && value <= 107)) look.ground = code
  else if (code === '39') look.ink = ''
  else if (code === '49') look.ground = ''
}

/** Reads `38;5;N`, `38;2;R;G;B` or the same with colons (ITU T.416); `used`: further parameters that belong to it. */
function readColour(list: readonly string[], index: number): { readonly colour: string; readonly used: number } {
  const own = (list[index] ?? '').split(':')
  const [kind, ...rest] = own.length > 1 ? own.slice(1) : list.slice(index + 1)
  const count = kind === '5' ? 1 : kind === '2' ? 3 : 0
  // With colons the kind 2 has a colour space, which may be empty, before its three numbers.
  const values = own.length > 1 ? rest.slice(-count) : rest.slice(0, count)
  const isValid = count > 0 && values.length === count && values.every(value => /^\d{1,3}$/.test(value))
  const colour = isValid ? [Number(own[0]), kind, ...values.map(Number)].join(';') : ''
  return { colour, used: own.length > 1 ? 0 : count + 1 }
}
