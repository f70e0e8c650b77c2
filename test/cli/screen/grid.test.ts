/** The grid, its difference and colours of services, judged by a terminal emulator. */
import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { frameFor } from '../../../cli/screen/difference.ts'
import { columnsOf, fit, shorten, splitGlyphs } from '../../../cli/screen/glyphs.ts'
import { Grid } from '../../../cli/screen/grid.ts'
import { parseSpans, textOf, wrapSpans, wrapWords } from '../../../cli/screen/spans.ts'
import { Xterm } from '../../lib/xterm.ts'

const pieces = fc.constantFrom(
  ...[
    'a',
    'Z',
    ' ',
    '0',
    '~',
    '漢',
    '字',
    'ー',
    '한',
    'é',
    'e\u0301',
    '😀',
    '👍🏽',
    '👨‍👩‍👧',
    '🇩🇪',
    '❤️',
    '1️⃣',
    '●',
    '…',
  ],
  ...[
    '\u200d',
    '\ufe0f',
    '\u202e',
    'का',
    '\u1100\u1161\u11a8',
    'x\u0301\u0302\u0303\u0304\u0305\u0306',
    '\x07',
    '\x1b',
  ],
)
const text = fc.array(pieces, { maxLength: 12 }).map(parts => parts.join(''))
const style = fc.constantFrom('', '', '1', '31', '1;36', '7', '2;90', '38;5;208', '38;2;1;2;3;48;5;17', '4;32;41')
const write = fc.record({ column: fc.nat(12), row: fc.nat(4), text, style, end: fc.nat(14) })
const size = fc.record({ columns: fc.integer({ min: 2, max: 14 }), rows: fc.integer({ min: 1, max: 5 }) })

type Write = {
  readonly column: number
  readonly row: number
  readonly text: string
  readonly style: string
  readonly end: number
}

function gridOf(
  { columns, rows }: { readonly columns: number; readonly rows: number },
  writes: readonly Write[],
): Grid {
  const grid = new Grid(columns, rows)
  for (const { column, row, text, style, end } of writes) grid.write({ column, row }, text, style, end)
  return grid
}

/** What a grid and a terminal have in common. */
interface Cells {
  readonly columns: number
  readonly rows: number
  text(column: number, row: number): string
  style(column: number, row: number): string
}

/** Returns all cells; a blank one's style where it is seen. */
function cellsOf(cells: Cells): readonly string[] {
  return Array.from({ length: cells.rows }, (_, row) =>
    Array.from({ length: cells.columns }, (_, column) => {
      const found = cells.text(column, row)
      return `${found}|${cells.style(column, row)}`
    }).join(' '),
  )
}

t.test('what the difference of two grids writes makes the terminal show the second', async () => {
  await fc.assert(
    fc.asyncProperty(
      size,
      fc.array(fc.array(write, { maxLength: 6 }), { minLength: 1, maxLength: 5 }),
      async (size, steps) => {
        const xterm = new Xterm(size.columns, size.rows)
        await xterm.write('\x1b[?7l')
        let shown: Grid | undefined
        for (const writes of steps) {
          const grid = gridOf(size, writes)
          await xterm.write(frameFor(shown, grid))
          shown = grid
          assert.deepEqual(cellsOf(xterm), cellsOf(grid))
        }
      },
    ),
    { numRuns: 400 },
  )
})

t.test('a frame for another size, or an unknown screen, does not depend on what was shown', async () => {
  await fc.assert(
    fc.asyncProperty(size, size, fc.array(write), fc.array(write), async (before, after, first, second) => {
      const xterm = new Xterm(before.columns, before.rows)
      await xterm.write('\x1b[?7l')
      const old = gridOf(before, first)
      await xterm.write(frameFor(undefined, old))
      await xterm.write('\x1b[1;31m garbage 漢')
      xterm.resize(after.columns, after.rows)
      const grid = gridOf(after, second)
      const isSame = before.columns === after.columns && before.rows === after.rows
      await xterm.write(frameFor(isSame ? undefined : old, grid))
      assert.deepEqual(cellsOf(xterm), cellsOf(grid))
    }),
    { numRuns: 150 },
  )
})

t.test('a frame is empty where nothing changed, and small where little did', async t => {
  const grid = (word: string) =>
    gridOf({ columns: 200, rows: 60 }, [{ column: 3, row: 9, text: word, style: '1', end: 200 }])
  t.equal(frameFor(grid('ready'), grid('ready')), '')
  t.equal(frameFor(grid('ready'), grid('reads')), '\x1b[?2026h\x1b[10;8H\x1b[0;1ms\x1b[m\x1b[?25l\x1b[?2026l')
  t.equal(frameFor(grid('ready'), grid('')), '\x1b[?2026h\x1b[10;4H\x1b[K\x1b[?25l\x1b[?2026l')
})

t.test('shows the cursor where the grid has one', async t => {
  const xterm = new Xterm(10, 3)
  const grid = new Grid(10, 3)
  grid.write({ column: 0, row: 2 }, '/漢')
  grid.cursor = { column: 3, row: 2 }
  await xterm.write(frameFor(undefined, grid))
  t.same(xterm.cursor, { column: 3, row: 2 })
})

t.test('text takes as many columns as are counted, and no more than there are', async t => {
  fc.assert(
    fc.property(text, fc.nat(10), (text, columns) => {
      const width = splitGlyphs(text).reduce((sum, glyph) => sum + glyph.width, 0)
      assert.equal(columnsOf(fit(text, columns)), columns)
      assert.equal(columnsOf(fit(text, columns, 'right')), columns)
      assert.ok(columnsOf(shorten(text, columns)) <= columns)
      assert.ok(columnsOf(shorten(text, columns, 'end')) <= columns)
      const grid = new Grid(60, 1)
      assert.equal(grid.write({ column: 0, row: 0 }, text), width)
    }),
  )
  t.equal(shorten('/home/me/shop', 6), '/home…')
  t.equal(shorten('/home/me/shop', 6, 'end'), '…/shop')
  t.equal(shorten('日本語', 4), '日…')
})

const codes = fc.constantFrom(
  ...['', '0', '1', '2', '3', '4', '7', '9', '22', '23', '24', '27', '29', '31', '39', '41', '49', '95', '103'],
  ...['38;5;208', '48;5;3', '38;2;9;8;7', '48;2;1;2;3', '38:5:99', '38:2::4:5:6', '4:0', '1;31;44', '0;33', '00;032'],
)
const painted = fc.array(
  fc.oneof(
    text.map(plain),
    codes.map(code => `\x1b[${code}m`),
  ),
  { maxLength: 12 },
)

function plain(text: string): string {
  return text.replace(/[\x00-\x1f\u202e]/g, '')
}

t.test('colours of services are shown as a terminal shows them', async () => {
  await fc.assert(
    fc.asyncProperty(painted, async parts => {
      const spans = parseSpans(parts.join(''))
      const grid = new Grid(160, 1)
      let column = 0
      for (const { text, style } of spans) column = grid.write({ column, row: 0 }, text, style)
      const xterm = new Xterm(160, 1)
      const glyphs = parts.map(part =>
        part.startsWith('\x1b')
          ? part
          : splitGlyphs(part)
              .map(({ text }) => text)
              .join(''),
      )
      await xterm.write(glyphs.join(''))
      for (let at = 0; at < column; at++) {
        assert.equal(xterm.text(at, 0), grid.text(at, 0))
        assert.equal(xterm.style(at, 0), grid.style(at, 0), JSON.stringify(parts))
      }
    }),
    { numRuns: 300 },
  )
})

t.test('wrapped rows fit, and together are the whole text', async t => {
  await fc.assert(
    fc.asyncProperty(painted, fc.integer({ min: 2, max: 20 }), async (parts, columns) => {
      const spans = parseSpans(parts.join(''))
      const rows = wrapSpans(spans, columns)
      for (const row of rows) assert.ok(columnsOf(textOf(row)) <= columns)
      const join = (text: string) =>
        splitGlyphs(text)
          .map(glyph => glyph.text)
          .join('')
      t.equal(rows.map(textOf).join(''), spans.map(({ text }) => join(text)).join(''))
    }),
  )
  t.same(parseSpans('a\tb\x1b[1m\tc'), [
    { text: 'a       b', style: '' },
    { text: '       c', style: '1' },
  ])
})

t.test('text of pages is broken between words, and fits', async t => {
  const wrap = (text: string, columns: number) => wrapWords([{ text, style: '' }], columns).map(textOf)
  t.strictSame(wrap('  api failed: exited with code 1', 16), ['  api failed: ', '  exited with ', '  code 1'])
  t.strictSame(wrap('a-word-that-is-longer than it', 10), ['a-word-tha', 't-is-longe', 'r than it'])
  t.strictSame(wrap('', 5), [''])
  t.strictSame(wrap('ー  and', 3), ['ー ', 'and'])
  fc.assert(
    fc.property(text.map(plain), fc.integer({ min: 2, max: 20 }), (text, columns) => {
      for (const row of wrap(text, columns)) assert.ok(columnsOf(row) <= columns, JSON.stringify(row))
    }),
  )
})
