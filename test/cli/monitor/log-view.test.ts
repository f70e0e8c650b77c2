import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { LogBuffer } from '../../../cli/monitor/model/log-buffer.ts'
import { LogSearch } from '../../../cli/monitor/model/log-search.ts'
import { LogView } from '../../../cli/monitor/model/log-view.ts'
import type { LogLine } from '../../../kernel/events.ts'

const styles = { current: '1', other: '2' }

function line(text: string, more: Partial<LogLine> = {}): LogLine {
  return { time: '2026-01-01T00:00:00.000001Z', service: 'shop:web', stream: 'stdout', text, ...more }
}

function viewOf(lines: readonly string[] = []) {
  const buffer = new LogBuffer(true)
  const search = new LogSearch(buffer)
  const view = new LogView(buffer, search)
  const add = (...texts: readonly string[]) => search.add(buffer.add(texts.map(text => line(text))))
  add(...lines)
  const texts = (columns: number, rows: number) =>
    view.rows({ columns, rows }, styles).map(({ spans }) => spans.map(({ text }) => text).join(''))
  return { buffer, search, view, add, texts }
}

/** What moves the log, or adds to it. */
const step = fc.oneof(
  fc.record({ scroll: fc.integer({ min: -9, max: 9 }).filter(by => by !== 0) }),
  fc.record({ add: fc.array(fc.string({ unit: fc.constantFrom('a', 'b', '漢'), maxLength: 9 }), { maxLength: 5 }) }),
  fc.constant({ start: true }),
  fc.constant({ follow: true }),
)

t.test('shows a window of all rows, which moves as far as it is scrolled', async () => {
  fc.assert(
    fc.property(
      fc.array(step),
      fc.integer({ min: 2, max: 6 }),
      fc.integer({ min: 1, max: 5 }),
      (steps, columns, rows) => {
        const { view, add, texts } = viewOf()
        const size = { columns, rows }
        const all: string[] = []
        /** Rows above the window; undefined: it follows. */
        let top: number | undefined
        for (const it of steps) {
          const last = Math.max(0, all.length - rows)
          if ('add' in it) {
            add(...it.add)
            for (const text of it.add) all.push(...rowsOf(text, columns))
          } else if ('scroll' in it) {
            const to = Math.max(0, Math.min(last, (top ?? last) + it.scroll))
            view.scroll(it.scroll, size)
            if (it.scroll < 0 && last > 0) top = to
            else if (it.scroll > 0) top = top === undefined || to === last ? undefined : to
          } else if ('start' in it) {
            view.goToStart()
            if (all.length > 0) top = 0
            else view.follow()
          } else {
            view.follow()
            top = undefined
          }
          const from = top ?? Math.max(0, all.length - rows)
          assert.deepEqual(texts(columns, rows), all.slice(from, from + rows), JSON.stringify(steps))
        }
      },
    ),
    { numRuns: 400 },
  )
})

/** Breaks a text into rows: a wide character takes two columns. */
function rowsOf(text: string, columns: number): readonly string[] {
  const rows = ['']
  let used = 0
  for (const character of text) {
    const width = character === '漢' ? 2 : 1
    if (used + width > columns) {
      rows.push('')
      used = 0
    }
    rows[rows.length - 1] += character
    used += width
  }
  return rows
}

t.test('counts lines that came since it stopped following', async t => {
  const { view, add, search } = viewOf(Array.from({ length: 50 }, (_, index) => `line ${index}`))
  const size = { columns: 20, rows: 10 }
  t.equal(view.newLines, 0)
  view.scroll(-5, size)
  t.equal(view.newLines, 0, 'those that were there are not new')
  add('one', 'two', 'line three')
  t.equal(view.newLines, 3)
  search.set('line')
  search.isFilter = true
  t.equal(view.newLines, 1)
  search.set('')
  view.scroll(6, size)
  t.equal(view.newLines, 2)
  view.scroll(2, size)
  t.ok(view.isFollowing)
})

t.test('bounds memory, and stays at the oldest line when what it showed was dropped', async t => {
  const { buffer, view, add, texts, search } = viewOf(['first', 'second', 'third'])
  search.set('line 1')
  view.goToStart()
  t.strictSame(texts(20, 2), ['first', 'second'])
  for (let round = 0; round < 30; round++) add(...Array.from({ length: 1000 }, (_, index) => `line ${round} ${index}`))
  t.ok(buffer.next - buffer.first <= 11_000, `${buffer.next - buffer.first} lines`)
  t.match(texts(20, 2)[0], /^line 1\d 997$/)
  add(...Array.from({ length: 100 }, () => 'x'.repeat(200_000)))
  t.ok(buffer.next - buffer.first <= 1000)
})

t.test('an unfinished line is one line, which grows', async t => {
  const { buffer, texts } = viewOf()
  const at = (from: number | undefined, text: string, time: string) =>
    buffer.add([line(text, from === undefined ? { time } : { time, from })])
  at(0, 'Password', 'T1')
  at(8, ': ', 'T1')
  t.strictSame(texts(20, 5), ['Password: '])
  buffer.add([line('another', { stream: 'stderr', time: 'T2' })])
  at(undefined, 'Password: ****', 'T1')
  at(undefined, 'next', 'T3')
  t.strictSame(texts(20, 5), ['Password: ****', 'another', 'next'])
})

t.test('walks the lines with a text, and shows the one it came to', async t => {
  const { buffer, view, search, texts } = viewOf(
    Array.from({ length: 40 }, (_, index) => `${index} ${index % 10 === 0 ? 'Hit' : 'no'}`),
  )
  const size = { columns: 20, rows: 5 }
  search.set('hit')
  t.same(search.count, { all: 4, at: 0 })
  const to = (direction: -1 | 1) => {
    const id = search.step(direction, view.bottomId)
    if (id !== undefined) view.goTo(id, size)
    return id
  }
  t.equal(to(-1), 30)
  t.ok(texts(20, 5).includes('30 Hit'))
  t.equal(to(-1), 20)
  t.equal(to(-1), 10)
  t.equal(to(1), 20)
  t.same(search.count, { all: 4, at: 3 })
  const row = view.rows(size, styles).find(({ entry }) => entry.id === 20)
  t.strictSame(row?.spans, [
    { text: '20 ', style: '' },
    { text: 'Hit', style: '1' },
  ])
  t.strictSame([to(-1), to(-1)], [10, 0])
  t.strictSame(texts(20, 5).slice(0, 2), ['0 Hit', '1 no'], 'the first line, too')
  t.strictSame([to(1), to(1), to(1)], [10, 20, 30])
  const shown = texts(20, 5)
  buffer.add([line('new', {})])
  t.strictSame(texts(20, 5), shown, 'what was found stays')
  search.set('Hit')
  t.equal(search.count.all, 4)
  search.set('HIT')
  t.equal(search.count.all, 0, 'capital letters match themselves only')
  search.set('(')
  t.equal(search.count.all, 0, 'no pattern')
})
