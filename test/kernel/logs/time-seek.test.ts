import { renameSync, writeFileSync } from 'node:fs'
import t, { type Test } from 'tap'
import type { OutputLine } from '../../../kernel/logs/lines.ts'
import { readLogs } from '../../../kernel/logs/merge.ts'
import { searchLogs } from '../../../kernel/logs/search.ts'
import { ServiceLog } from '../../../kernel/logs/service-log.ts'
import { folder } from '../../lib/log-model.ts'

/** Lines of two files of 8 MB together, one each second. */
const count = 40_000
const startMs = Date.UTC(2026, 10, 24)
const timeOf = (n: number) => `${new Date(startMs + n * 1000).toISOString().slice(0, -1)}000Z`

/** Writes lines whose times the clock gives, in two files. */
function logOf(t: Test, clock: (n: number) => number): ServiceLog {
  const log = new ServiceLog(folder(t, true))
  const lines = Array.from({ length: count }, (_, n) => `${timeOf(clock(n))} stdout F ${n} ${'.'.repeat(160)}\n`)
  writeFileSync(log.file, lines.slice(0, count / 4).join(''))
  renameSync(log.file, `${log.file}.1`)
  writeFileSync(log.file, lines.slice(count / 4).join(''))
  return log
}

async function read(log: ServiceLog, request: object): Promise<readonly number[]> {
  const lines: OutputLine[] = []
  const signal = new AbortController().signal
  for await (const batch of readLogs({ sources: [{ service: 'p:a', log }], follow: false, signal, ...request }))
    lines.push(...batch)
  return lines.map(({ text }) => Number.parseInt(text, 10))
}

const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, n) => from + n)

t.test('reads the lines between two times, wherever they are', async t => {
  const log = logOf(t, n => n)
  for (const from of [0, 1, 4000, 9999, 10_000, 10_001, 23_456, 39_990]) {
    const to = from + 9
    const between = { since: timeOf(from), until: timeOf(to) }
    t.strictSame(await read(log, between), range(from, to))
    t.strictSame(await read(log, { ...between, tail: 4 }), range(to - 3, to))
    t.strictSame(await read(log, { until: timeOf(to), tail: 3 }), range(to - 2, to))
    t.strictSame(await read(log, { until: timeOf(to), grep: `^${from} ` }), [from])
    t.strictSame((await read(log, { since: timeOf(from), tail: count }))[0], from)
    const found: string[] = []
    const search = { sources: [{ service: 'p:a', log }], limit: 5, signal: new AbortController().signal }
    for await (const { lines } of searchLogs({ ...search, ...between, text: `${to} ` }))
      found.push(...lines.map(({ text }) => text.slice(0, text.indexOf(' '))))
    t.ok(found.includes(`${to}`))
  }
  t.strictSame(await read(log, { until: timeOf(-1) }), [])
  t.strictSame(await read(log, { since: timeOf(count) }), [])
})

t.test('finds all lines until a time after the clock was set back by an hour', async t => {
  const back = 30_000
  const log = logOf(t, n => (n < back ? n : n - 3600))
  // Twice: before and after the clock was set back.
  const until = timeOf(back - 1000)
  const expected = range(0, count - 1).filter(n => (n < back ? n <= back - 1000 : n - 3600 <= back - 1000))
  t.strictSame(await read(log, { until }), expected)
})

t.test('a few lines of another time do not hide others', async t => {
  const log = logOf(t, n => (n >= 20_000 && n < 20_300 ? n + 1e7 : n))
  t.strictSame(await read(log, { since: timeOf(30_000), until: timeOf(30_002) }), [30_000, 30_001, 30_002])
  t.strictSame(await read(log, { since: timeOf(15_000), until: timeOf(15_002) }), [15_000, 15_001, 15_002])
})
