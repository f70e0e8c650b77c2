import { deepStrictEqual as same } from 'node:assert'

import { appendFileSync, mkdirSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import fc from 'fast-check'
import t from 'tap'
import type { Anchor } from '../../../kernel/logs/anchor.ts'
import { LogCursor } from '../../../kernel/logs/cursor.ts'
import type { OutputLine } from '../../../kernel/logs/lines.ts'
import { stripAnsi } from '../../../kernel/logs/plain-text.ts'
import { ServiceLog } from '../../../kernel/logs/service-log.ts'
import { shortHash } from '../../../kernel/system/paths.ts'
import { Clock, collect, folder, ModelLog, textsOf } from '../../lib/log-model.ts'

/** Reads on until there is no more for now. */
async function drain(cursor: LogCursor): Promise<OutputLine[]> {
  const lines: OutputLine[] = []
  for (let next = await cursor.next(); next.length > 0; next = await cursor.next()) lines.push(...next)
  return lines
}

type Op =
  | { readonly do: 'write'; readonly stream: string; readonly text: Buffer; readonly full: boolean }
  | { readonly do: 'rotate' }
  | { readonly do: 'step'; readonly us: number }
  | { readonly do: 'read' }

const text = fc.oneof(
  { weight: 8, arbitrary: fc.string({ unit: 'binary', maxLength: 40 }).map(it => it.replaceAll('\n', ' ')) },
  { weight: 3, arbitrary: fc.integer({ min: 0, max: 5000 }).map(length => 'é'.repeat(length)) },
  { weight: 1, arbitrary: fc.constant('x'.repeat(16_384)) },
)

/** A character may be cut in two by an entry's end: so are these, at any byte. */
const write: fc.Arbitrary<readonly Op[]> = fc
  .record({
    stream: fc.constantFrom('stdout', 'stderr'),
    text,
    cuts: fc.array(fc.nat(40), { maxLength: 3 }),
    full: fc.boolean(),
  })
  .map(({ stream, text, cuts, full }) => {
    const bytes = Buffer.from(text)
    const at = [0, ...cuts.filter(cut => cut < bytes.length).sort((a, b) => a - b), bytes.length]
    return at.slice(1).map((end, index) => ({
      do: 'write' as const,
      stream,
      text: bytes.subarray(at[index] ?? 0, end),
      full: index === at.length - 2 && full,
    }))
  })

const script = fc
  .array(
    fc.oneof(
      { weight: 12, arbitrary: write },
      { weight: 1, arbitrary: fc.constant<readonly Op[]>([{ do: 'rotate' }]) },
      { weight: 1, arbitrary: fc.constant<readonly Op[]>([{ do: 'read' }]) },
    ),
    { maxLength: 120 },
  )
  .map(ops => ops.flat())

function perform(op: Op, model: ModelLog): void {
  if (op.do === 'write') model.write(op.stream, op.text, op.full)
  if (op.do === 'rotate') model.rotate()
  if (op.do === 'step') model.clock.tick(op.us)
}

/** What a reader that has these lines has last. */
function anchorOf(lines: readonly OutputLine[]): Anchor {
  const { time = '', stream = '', text = '' } = lines.at(-1) ?? {}
  const others = lines.filter(line => line.stream === stream)
  const moment = others.slice(others.findLastIndex(line => line.time !== time) + 1)
  return { time, stream, hash: shortHash(text, 16), count: moment.filter(line => line.text === text).length }
}

t.test('readers agree with a model', async t => {
  const here = folder(t, true)
  let count = 0
  const fresh = () => {
    rmSync(join(here, String(count++)), { recursive: true, force: true })
    const dir = join(here, String(count))
    mkdirSync(dir)
    return new ModelLog(join(dir, 'log'))
  }

  await t.test('a reader that follows through rotations gets each line once and in order', async () => {
    const property = fc.asyncProperty(script, fc.nat(60), fc.option(fc.nat(30)), async (ops, from, tail) => {
      const model = fresh()
      const cursor = new LogCursor(model.file)
      let start = 0
      const got: OutputLine[] = []
      for (const [index, op] of ops.entries()) {
        if (index === Math.min(from, ops.length - 1)) {
          const found = await cursor.seek({ follow: true, tail: tail ?? undefined })
          start = tail === null ? 0 : Math.max(0, model.lines.length - tail)
          if (tail !== null) got.push(...(await drain(cursor)).slice(Math.max(0, found - tail)))
        }
        perform(op, model)
        if (op.do === 'read' && index >= from) got.push(...(await cursor.next()))
      }
      got.push(...(await drain(cursor)))
      await cursor.close()
      if (ops.length > 0) same(got, model.lines.slice(start))
    })
    await fc.assert(property, { numRuns: 100 })
  })

  await t.test('returns the last lines, including an unfinished one', async () => {
    const property = fc.asyncProperty(script, fc.nat(200), async (ops, count) => {
      const model = fresh()
      for (const op of ops) perform(op, model)
      const cursor = new LogCursor(model.file)
      same(await cursor.last(count), model.all.slice(Math.max(0, model.all.length - count)))
      await cursor.close()
    })
    await fc.assert(property, { numRuns: 100 })
  })

  await t.test('a resumed reader gets the remaining lines, whatever the clock did', async () => {
    // Two lines of one moment, or a clock that was set; a moment that came before comes to the microsecond only here.
    const far = fc.integer({ min: 10_000, max: 1e9 })
    const step = fc.oneof(
      fc.constant(-1),
      far,
      far.map(us => -us),
    )
    const stepped = fc.array(
      fc.oneof(
        { weight: 4, arbitrary: script },
        { weight: 1, arbitrary: step.map((us): readonly Op[] => [{ do: 'step', us }]) },
      ),
      { maxLength: 20 },
    )
    await fc.assert(
      fc.asyncProperty(stepped, fc.nat(), fc.option(fc.nat(20)), async (scripts, nth, tail) => {
        const model = fresh()
        const log = new ServiceLog(dirname(model.file))
        for (const op of scripts.flat()) perform(op, model)
        if (model.lines.length === 0) return
        const had = model.lines.slice(0, 1 + (nth % model.lines.length))
        const wanted = model.all.slice(had.length)
        const lines = await collect({ sources: [{ service: 'a:b', log, after: anchorOf(had) }] })
        same(textsOf(lines), textsOf(wanted))
        if (tail === null) return
        const last = await collect({ sources: [{ service: 'a:b', log, after: anchorOf(had) }], tail })
        same(textsOf(last), textsOf(wanted).slice(textsOf(wanted).length - last.length), 'the last ones')
      }),
      { numRuns: 150 },
    )
  })

  await t.test('a reader resumes between lines of the same timestamp', async () => {
    const model = fresh()
    const log = new ServiceLog(dirname(model.file))
    const time = model.clock.tick()
    const all = ['a', 'b', 'x', 'c', 'x', 'd', 'e'].map(text => ({ time, stream: 'stdout', text }))
    appendFileSync(model.file, all.map(({ text }) => `${time} stdout F ${text}\n`).join(''))
    const source = { service: 'a:b', log }
    const tail = all.slice(3, 6)
    same(textsOf(await collect({ sources: [{ ...source, after: anchorOf(tail) }] })), ['e'], 'the last ones')
    const matching = all.filter(({ text }) => /[bd-e]/.test(text))
    const had = { ...source, after: anchorOf(matching.slice(0, 1)) }
    same(textsOf(await collect({ sources: [had], grep: '[bd-e]' })), ['d', 'e'], 'those that match')
    const both = { ...source, after: anchorOf(all.slice(0, 5)) }
    same(textsOf(await collect({ sources: [both] })), ['d', 'e'], 'one of two with the same text')
  })

  await t.test('returns the last N matching lines of several services since a time', async () => {
    const property = fc.asyncProperty(
      fc.array(script, { minLength: 1, maxLength: 3 }),
      fc.record({
        tail: fc.option(fc.nat(50), { nil: undefined }),
        each: fc.boolean(),
        grep: fc.option(fc.constantFrom('é', '^x', 'a|b'), { nil: undefined }),
        since: fc.option(fc.nat(100), { nil: undefined }),
      }),
      async (scripts, { tail, each, grep, since }) => {
        const clock = new Clock()
        const { file } = fresh()
        const sources = scripts.map((_, index) => {
          const log = new ServiceLog(join(dirname(file), String(index)))
          return { service: `p:${index}`, log, model: new ModelLog(log.file, clock) }
        })
        // Interleaved, so that the times of all are.
        for (let step = 0; step < Math.max(...scripts.map(({ length }) => length)); step++) {
          for (const [index, { model }] of sources.entries()) {
            const op = scripts[index]?.[step]
            if (op !== undefined) perform(op, model)
          }
        }
        const times = sources.flatMap(({ model }) => model.all.map(({ time }) => time)).sort()
        const from = since === undefined ? undefined : times[since]
        const wanted = sources.flatMap(({ service, model }) =>
          model.all
            .filter(
              line =>
                (from === undefined || line.time >= from) &&
                (grep === undefined || new RegExp(grep, 'u').test(stripAnsi(line.text))),
            )
            .map(line => ({ ...line, service })),
        )
        const got = await collect({ sources, tail, each, grep, since: from })
        if (!each) same(got.length, tail === undefined ? wanted.length : Math.min(tail, wanted.length))
        for (const { service } of sources) {
          const mine = got.filter(line => line.service === service)
          const all = wanted.filter(line => line.service === service)
          if (each) same(mine.length, tail === undefined ? all.length : Math.min(tail, all.length))
          same(mine, all.slice(all.length - mine.length))
        }
        same(isMerged(got, sources.length), true)
      },
    )
    await fc.assert(property, { numRuns: 60 })
  })
})

/** By time, but for lines that began before others and finished after them: those are in their own log's order. */
function isMerged(lines: readonly { readonly time: string; readonly service: string }[], services: number): boolean {
  if (services === 1) return true
  const heads = new Map<string, string>()
  return lines.every(({ time, service }, index) => {
    const next = new Map<string, string>()
    for (const line of lines.slice(index)) if (!next.has(line.service)) next.set(line.service, line.time)
    heads.set(service, time)
    return [...next.values()].every(other => time <= other)
  })
}
