import { deepStrictEqual as same } from 'node:assert'
import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import {
  appendFileSync,
  createWriteStream,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
  truncateSync,
  utimesSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import fc from 'fast-check'
import t, { type Test } from 'tap'
import type { LogLine } from '../../../kernel/events.ts'
import type { Anchor } from '../../../kernel/logs/anchor.ts'
import { LogCursor } from '../../../kernel/logs/cursor.ts'
import { daemonLog } from '../../../kernel/logs/daemon-log.ts'
import { Grep, plain } from '../../../kernel/logs/grep.ts'
import { longestLine, type OutputLine, stampOf } from '../../../kernel/logs/lines.ts'
import { readLogs } from '../../../kernel/logs/merge.ts'
import { Logs, ServiceLog } from '../../../kernel/logs/service-log.ts'
import { LogWriter } from '../../../kernel/logs/writer.ts'
import { shortHash } from '../../../kernel/system/paths.ts'
import { Clock, folder, ModelLog } from '../../lib/log-model.ts'
import { onlyLinux } from '../../lib/machine.ts'

const texts = (lines: readonly { readonly text: string }[]) => lines.map(({ text }) => text)

/** Reads on until there is no more for now. */
async function drain(cursor: LogCursor): Promise<OutputLine[]> {
  const lines: OutputLine[] = []
  for (let next = await cursor.next(); next.length > 0; next = await cursor.next()) lines.push(...next)
  return lines
}

/** All that a read that is not followed gives. */
async function collect(
  request: Partial<Parameters<typeof readLogs>[0]> & Pick<Parameters<typeof readLogs>[0], 'sources'>,
) {
  const lines: { readonly text: string; readonly service: string; readonly time: string }[] = []
  for await (const batch of readLogs({ follow: false, signal: new AbortController().signal, ...request }))
    lines.push(...batch)
  return lines
}

/** A source whose file is a model's. */
function source(t: Test, service: string, clock?: Clock) {
  const log = new ServiceLog(folder(t))
  return { service, log, model: new ModelLog(log.file, clock) }
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

t.test('readers against a model', async t => {
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

  await t.test('the last lines, an unfinished one included', async () => {
    const property = fc.asyncProperty(script, fc.nat(200), async (ops, count) => {
      const model = fresh()
      for (const op of ops) perform(op, model)
      const cursor = new LogCursor(model.file)
      same(await cursor.last(count), model.all.slice(Math.max(0, model.all.length - count)))
      await cursor.close()
    })
    await fc.assert(property, { numRuns: 100 })
  })

  await t.test('a reader that has had some lines gets the others, whatever the clock did', async () => {
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
        same(texts(lines), texts(wanted))
        if (tail === null) return
        const last = await collect({ sources: [{ service: 'a:b', log, after: anchorOf(had) }], tail })
        same(texts(last), texts(wanted).slice(texts(wanted).length - last.length), 'the last ones')
      }),
      { numRuns: 150 },
    )
  })

  await t.test('a reader that has only some lines of a moment gets those after them', async () => {
    const model = fresh()
    const log = new ServiceLog(dirname(model.file))
    const time = model.clock.tick()
    const all = ['a', 'b', 'x', 'c', 'x', 'd', 'e'].map(text => ({ time, stream: 'stdout', text }))
    appendFileSync(model.file, all.map(({ text }) => `${time} stdout F ${text}\n`).join(''))
    const source = { service: 'a:b', log }
    const tail = all.slice(3, 6)
    same(texts(await collect({ sources: [{ ...source, after: anchorOf(tail) }] })), ['e'], 'the last ones')
    const matching = all.filter(({ text }) => /[bd-e]/.test(text))
    const had = { ...source, after: anchorOf(matching.slice(0, 1)) }
    same(texts(await collect({ sources: [had], grep: '[bd-e]' })), ['d', 'e'], 'those that match')
    const both = { ...source, after: anchorOf(all.slice(0, 5)) }
    same(texts(await collect({ sources: [both] })), ['d', 'e'], 'one of two with the same text')
  })

  await t.test('since a time, of those that match, the last so many of several services by time', async () => {
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
                (grep === undefined || new RegExp(grep, 'u').test(plain(line.text))),
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

/** By time, but for lines that began before others and ended after them: those are in their own log's order. */
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

t.test('a cursor', async t => {
  t.test('there is no log yet: it begins when there is one', async t => {
    const model = new ModelLog(join(folder(t), 'log'))
    const cursor = new LogCursor(model.file)
    t.equal(await cursor.seek({ tail: 3, follow: true }), 0)
    t.strictSame(await cursor.next(), [])
    model.write('stdout', 'first')
    t.strictSame(texts(await cursor.next()), ['first'])
    await cursor.close()
  })

  t.test('a line whose beginning was read by nobody is whole', async t => {
    const model = new ModelLog(join(folder(t), 'log'))
    model.write('stdout', 'who are ', false)
    for (let index = 0; index < 10; index++) model.write('stderr', 'y'.repeat(20_000))
    const cursor = new LogCursor(model.file)
    await cursor.seek({ tail: 0, follow: true })
    model.write('stdout', 'you?')
    t.strictSame(texts(await cursor.next()), ['who are you?'])
    await cursor.close()
  })

  t.test('one that falls off the cap before it is read: the reader goes on with the oldest, and says so', async t => {
    const model = new ModelLog(join(folder(t), 'log'))
    model.write('stdout', '1')
    const cursor = new LogCursor(model.file)
    await cursor.seek({ follow: true })
    t.strictSame(texts(await drain(cursor)), ['1'])
    for (const line of ['2', '3', '4']) {
      model.rotate()
      model.write('stdout', line)
    }
    t.notOk(cursor.lost)
    model.drop()
    model.drop()
    t.strictSame(texts(await drain(cursor)), ['3', '4'])
    t.ok(cursor.lost)
    await cursor.close()
  })

  t.test('one that is not followed ends where the log ended when it began, also when that fell off', async t => {
    const model = new ModelLog(join(folder(t), 'log'))
    for (const line of ['1', '2', '3']) {
      model.write('stdout', line)
      if (line !== '3') model.rotate()
    }
    const cursor = new LogCursor(model.file)
    await cursor.seek()
    model.write('stdout', '4')
    t.strictSame(texts(await cursor.next()), ['1'])
    for (const line of ['5', '6']) {
      model.rotate()
      model.write('stdout', line)
    }
    for (let left = 4; left > 0; left--) model.drop()
    t.strictSame(texts(await drain(cursor)), ['3'])
    await cursor.close()
  })

  t.test('in the midst of a rotation, and with a file that somebody has removed, it finds its way', async t => {
    const model = new ModelLog(join(folder(t), 'log'))
    for (const line of ['1', '2', '3']) {
      model.write('stdout', line)
      model.rotate()
    }
    rmSync(model.file)
    const last = new LogCursor(model.file)
    t.strictSame(texts(await last.last(2)), ['2', '3'], 'the new file is not there yet')
    await last.close()
    rmSync(`${model.file}.2`)
    model.write('stdout', '4')
    const cursor = new LogCursor(model.file)
    await cursor.seek()
    t.strictSame(texts(await drain(cursor)), ['1', '3', '4'])
    await cursor.close()
  })

  t.test('a log emptied in place, and one removed, go on', async t => {
    const model = new ModelLog(join(folder(t), 'log'))
    model.write('stdout', 'a long line that was there')
    const cursor = new LogCursor(model.file)
    await cursor.seek({ follow: true })
    t.equal((await drain(cursor)).length, 1)
    truncateSync(model.file)
    t.strictSame(await drain(cursor), [])
    model.write('stdout', 'new')
    t.strictSame(texts(await drain(cursor)), ['new'])
    rmSync(model.file)
    model.write('stdout', 'newer')
    t.strictSame(texts(await drain(cursor)), ['newer'])
    await cursor.close()
  })

  t.test('one that somebody has renamed or removed goes on with the new one, without those before it', async t => {
    for (const change of [(file: string) => renameSync(file, `${file}-yesterday`), (file: string) => rmSync(file)]) {
      const model = new ModelLog(join(folder(t), 'log'))
      model.write('stdout', '1')
      utimesSync(model.file, 1, 1)
      model.rotate()
      model.write('stdout', '2')
      const cursor = new LogCursor(model.file)
      await cursor.seek({ follow: true })
      t.strictSame(texts(await drain(cursor)), ['1', '2'])
      change(model.file)
      t.strictSame(await drain(cursor), [])
      model.write('stdout', '3')
      t.strictSame(texts(await drain(cursor)), ['3'])
      await cursor.close()
    }
  })

  t.test('damaged entries are passed over, a line without an end is given in pieces', async t => {
    const model = new ModelLog(join(folder(t), 'log'))
    const cursor = new LogCursor(model.file)
    appendFileSync(
      model.file,
      'no entry\n\n2026-11-24T00:00:00.000000Z\n2026-11-24T00:00:00.000000Z stdout X y\n\0\0\n',
    )
    model.write('stdout', 'good')
    t.strictSame(texts(await drain(cursor)), ['good'])
    let longest = 0
    let total = 0
    for (let piece = 0; piece < 200; piece++) model.write('stdout', 'é'.repeat(8192), false)
    model.write('stdout', 'end')
    for (const { text } of await drain(cursor)) {
      longest = Math.max(longest, text.length)
      total += text.length
      t.notMatch(text, '\ufffd')
    }
    t.equal(total, 200 * 8192 + 3)
    t.ok(longest < longestLine + 16_384)
    await cursor.close()
  })

  t.test('times', async t => {
    t.equal(stampOf('2026-11-24T03:44:10Z'), '2026-11-24T03:44:10.000000Z')
    t.equal(stampOf('2026-11-24T04:44:10.5+01:00'), '2026-11-24T03:44:10.500000Z')
    t.equal(stampOf('2026-11-24T03:44:10.123456Z'), '2026-11-24T03:44:10.123456Z')
    t.equal(stampOf('yesterday'), undefined)
  })
})

t.test('the daemon writes', async t => {
  t.test('lines, rotated at the cap; no more files than allowed', async t => {
    const file = join(folder(t), 'deep', 'log')
    const writer = new LogWriter(file, 2000, 3)
    for (let line = 0; line < 200; line++) writer.write('stdout', `line ${line}\n`)
    t.strictSame(readdirSync(join(file, '..')).sort(), ['log', 'log.1', 'log.2'])
    t.ok(readdirSync(join(file, '..')).every(name => statSync(join(file, '..', name)).size <= 2000))
    const cursor = new LogCursor(file)
    t.strictSame(texts(await cursor.last(3)), ['line 197', 'line 198', 'line 199'])
    await cursor.close()
  })

  t.test('several lines, empty ones, long ones, in entries that a keeper would write', async t => {
    const file = join(folder(t), 'log')
    const writer = new LogWriter(file, 1e6, 3)
    const long = '😀'.repeat(10_001)
    writer.write('stdout', `a\n\n${long}\n`)
    t.ok(
      readFileSync(file, 'utf8')
        .split('\n')
        .every(line => Buffer.byteLength(line) < 16_384 + 50),
    )
    const cursor = new LogCursor(file)
    t.strictSame(texts(await cursor.last(9)), ['a', '', long])
    await cursor.close()
  })

  t.test("locald's own lines never rotate what a keeper writes", async t => {
    const file = join(folder(t), 'log')
    const writer = new LogWriter(file, 100, 3)
    for (let line = 0; line < 20; line++) writer.write('locald', 'starting')
    t.strictSame(readdirSync(join(file, '..')), ['log'])
  })

  t.test(
    'a full disk loses lines and nothing else',
    { skip: onlyLinux('a tmpfs') || (process.getuid?.() !== 0 && 'only root may mount') },
    async t => {
      const dir = folder(t)
      t.equal(spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', dir]).status, 0)
      t.teardown(() => spawnSync('umount', [dir]))
      const file = join(dir, 'log')
      const writer = new LogWriter(file, 1e6, 3)
      for (let line = 0; line < 2000; line++) writer.write('stdout', `line ${line} ${'-'.repeat(100)}`)
      const cursor = new LogCursor(file)
      const [last] = await cursor.last(1)
      t.match(last?.text, /^line \d+ -{100}$/, 'no line is torn')
      await cursor.close()
      truncateSync(file)
      writer.write('stdout', 'there is room again')
      const lines = readFileSync(file, 'utf8').split('\n')
      t.match(lines[0], /^\S+ stdout F \d+ earlier lines could not be written$/)
      t.match(lines[1], /^\S+ stdout F there is room again$/)
    },
  )
})

t.test('a log that cannot be opened loses lines, counted in the next that is written', async t => {
  const file = join(folder(t), 'log')
  mkdirSync(file)
  const writer = new LogWriter(file, 1e6, 3)
  writer.write('warn', 'one\ntwo')
  rmdirSync(file)
  writer.write('warn', 'three')
  const cursor = new LogCursor(file)
  t.strictSame(texts(await cursor.last(9)), ['2 earlier lines could not be written', 'three'])
  await cursor.close()
})

t.test("the daemon's own log steers no terminal", async t => {
  const file = join(folder(t), 'daemon.log')
  daemonLog(file)('kernel').warn('größe\t\x1b]0;x\x07\x9b2J\u202eb\nc')
  const [first, second] = readFileSync(file, 'utf8').split('\n')
  t.match(first, /^\S+ warn F kernel: größe\t\\u001b\]0;x\\u0007\\u009b2J\\u202eb$/)
  t.match(second, /^\S+ warn F c$/)
})

t.test('long lines come in batches of bounded length', async t => {
  const log = new ServiceLog(folder(t))
  const writer = new LogWriter(log.file, 1e9, 3)
  for (let line = 0; line < 200; line++) writer.write('stdout', 'x'.repeat(45_000))
  let lines = 0
  let longest = 0
  const request = { sources: [{ service: 'p:a', log }], follow: false, signal: new AbortController().signal }
  for await (const batch of readLogs(request)) {
    lines += batch.length
    longest = Math.max(longest, batch.map(({ text }) => text).join('').length)
  }
  t.equal(lines, 200)
  t.ok(longest <= 600_000, `${longest} at most`)
})

t.test('a pattern that takes too long leaves no file open', { skip: onlyLinux('reads /proc') }, async t => {
  const log = new ServiceLog(folder(t))
  const writer = new LogWriter(log.file, 1e9, 3)
  writer.write('stdout', `${'a'.repeat(40)}!`)
  await t.rejects(collect({ sources: [{ service: 'p:a', log }], tail: 5, grep: '^(a+)+$' }), { code: 'USAGE' })
  const open = readdirSync('/proc/self/fd').flatMap(fd => {
    try {
      return [readlinkSync(`/proc/self/fd/${fd}`)]
    } catch {
      return []
    }
  })
  t.notOk(open.includes(log.file))
})

t.test('reading along', async t => {
  t.test('lines written later come by time, of several services; a prompt comes when it ends', async t => {
    const clock = new Clock()
    const [a, b] = [source(t, 'p:a', clock), source(t, 'p:b', clock)]
    a.model.write('stdout', 'a1')
    b.model.write('stdout', 'b1')
    a.model.write('stdout', 'name: ', false)
    const abort = new AbortController()
    const reading = readLogs({ sources: [a, b], follow: true, signal: abort.signal })
    const next = async () => texts((await reading.next()).value ?? [])
    t.strictSame(await next(), ['a1', 'b1'])
    b.model.write('stdout', 'b2')
    b.log.changed()
    t.strictSame(await next(), ['b2'])
    a.model.write('stdout', 'Ada')
    a.log.changed()
    t.strictSame(await next(), ['name: Ada'])
    const last = reading.next()
    abort.abort()
    t.match(await last, { done: true })
  })

  t.test('an unfinished line comes in pieces, if wanted, and whole when it ends', async t => {
    const clock = new Clock()
    const [a, b] = [source(t, 'p:a', clock), source(t, 'p:b', clock)]
    a.model.write('stdout', 'Use another port?', false)
    const { signal } = new AbortController()
    const reading = readLogs({ sources: [a, b], follow: true, partial: true, signal })
    const next = async () => {
      const batch: readonly LogLine[] = (await reading.next()).value ?? []
      return batch.map(({ text, from }) => [text, from])
    }
    t.strictSame(await next(), [['Use another port?', 0]])
    a.model.write('stdout', ' (Y/n)\x1b[1;3', false)
    a.log.changed()
    t.strictSame(await next(), [[' (Y/n)', 17]])
    b.model.write('stdout', 'b')
    b.log.changed()
    t.strictSame(await next(), [['b', undefined]])
    a.model.write('stdout', 'm y')
    a.model.write('stdout', 'next', false)
    a.log.changed()
    t.strictSame(await next(), [['Use another port? (Y/n)\x1b[1;3m y', undefined]])
    t.strictSame(await next(), [['next', 0]])
    await reading.return(undefined)
    const grepped = readLogs({ sources: [a], follow: true, partial: true, grep: 'next', signal })
    const line = grepped.next()
    a.model.write('stdout', ' is whole')
    a.log.changed()
    t.strictSame(texts((await line).value ?? []), ['next is whole'], 'a pattern is for whole lines')
    await grepped.return(undefined)
  })

  t.test('followed from the last so many, and only of those that match', async t => {
    const a = source(t, 'p:a')
    for (const line of ['yes 1', 'no', 'yes 2', 'yes 3', 'no']) a.model.write('stdout', line)
    const abort = new AbortController()
    const reading = readLogs({ sources: [a], follow: true, tail: 2, grep: 'yes', signal: abort.signal })
    t.strictSame(texts((await reading.next()).value ?? []), ['yes 2', 'yes 3'])
    const more = reading.next()
    for (const line of ['no', 'yes 4']) {
      a.model.write('stdout', line)
      a.log.changed()
    }
    t.strictSame(texts((await more).value ?? []), ['yes 4'])
    await reading.return(undefined)
  })

  t.test('who reads along is counted, and gone when the reader goes', async t => {
    const a = source(t, 'p:a')
    const told: boolean[] = []
    const off = a.log.onFollowed(now => told.push(now))
    a.model.write('stdout', 'a1')
    const readers = [1, 2].map(() => readLogs({ sources: [a], follow: true, signal: new AbortController().signal }))
    for (const reader of readers) await reader.next()
    t.strictSame(told, [false, true])
    for (const reader of readers) await reader.return(undefined)
    t.strictSame(told, [false, true, false])
    off()
  })

  t.test('a slow reader holds nothing: what it did not take is read when it asks', async t => {
    const a = source(t, 'p:a')
    for (let line = 0; line < 5000; line++) a.model.write('stdout', `line ${line}`)
    const reading = readLogs({ sources: [a], follow: true, signal: new AbortController().signal })
    const first = (await reading.next()).value ?? []
    t.ok(first.length <= 1000)
    for (let line = 5000; line < 6000; line++) a.model.write('stdout', `line ${line}`)
    a.log.changed()
    const got = [...first]
    while (got.length < 6000) got.push(...((await reading.next()).value ?? []))
    t.strictSame(
      texts(got),
      Array.from({ length: 6000 }, (_, line) => `line ${line}`),
    )
    await reading.return(undefined)
  })

  t.test('wrong requests', async t => {
    const a = source(t, 'p:a')
    a.model.write('stdout', `${'a'.repeat(60)}!`)
    await t.rejects(collect({ sources: [a], since: 'soon' }), { code: 'USAGE', message: /invalid time 'soon'/ })
    await t.rejects(collect({ sources: [a], grep: '(' }), { code: 'USAGE', message: /invalid regular expression/ })
    const began = performance.now()
    await t.rejects(collect({ sources: [a], grep: '^(a+)+$' }), { code: 'USAGE', message: /timed out/ })
    t.ok(performance.now() - began < 5000)
  })
})

t.test('regular expressions', async t => {
  const matching = (source: string, ...texts: string[]) =>
    new Grep(source).matching(texts.map(text => ({ text }))).map(({ text }) => text)
  t.strictSame(
    matching('^b', 'a', 'b', '\u001b[31mbc\u001b[0m'),
    ['b', '\u001b[31mbc\u001b[0m'],
    'colours are not seen',
  )
  t.strictSame(matching('\\p{Lu}', 'a', 'Ä'), ['Ä'])
  t.strictSame(matching('a\\-b', 'a-b'), ['a-b'], 'also what is no Unicode expression')
  t.strictSame(matching('x', 'x', 'y', 'x'), ['x', 'x'], 'no state is kept')
  t.equal(plain('\u001b]8;;http://x\u0007link\u001b]8;;\u0007 \u001b[1;2Hz'), 'link z')
})

t.test('one log for each service', async t => {
  const logs = new Logs(folder(t))
  t.equal(logs.of('p', 'a'), logs.of('p', 'a'))
  t.not(logs.of('p', 'a').file, logs.of('p', 'b').file)
})

t.test('2,000,000 lines are read back in bounded memory', async t => {
  const sources = [source(t, 'p:a'), source(t, 'p:b')]
  const total = 2_000_000
  const stamp = (us: number) => `2026-11-24T00:00:0${Math.floor(us / 1e6)}.${String(us % 1e6).padStart(6, '0')}Z`
  const streams = sources.map(({ model }) => createWriteStream(model.file))
  for (let line = 0; line < total; ) {
    const parts: string[][] = [[], []]
    for (const end = line + 50_000; line < end; line++) parts[line % 2]?.push(`${stamp(line)} stdout F line ${line}\n`)
    for (const [index, stream] of streams.entries())
      if (!stream.write((parts[index] ?? []).join(''))) await once(stream, 'drain')
  }
  for (const stream of streams) {
    stream.end()
    await once(stream, 'finish')
  }
  // With all of them at once in the heap it would fail.
  const reader = `
    import { readLogs } from ${JSON.stringify(new URL('../../../kernel/logs/merge.js', import.meta.url).href)}
    const sources = process.argv.slice(1).map(file => ({ service: file, log: { file } }))
    let next = 0
    let most = 0
    for await (const batch of readLogs({ sources, follow: false, signal: new AbortController().signal })) {
      for (const { text } of batch) if (text === 'line ' + next) next++
      most = Math.max(most, process.memoryUsage().rss)
    }
    console.log(JSON.stringify({ next, most }))`
  const began = performance.now()
  const read = spawnSync(
    process.execPath,
    ['--max-old-space-size=48', '--input-type=module', '-e', reader, ...sources.map(({ model }) => model.file)],
    { encoding: 'utf8', env: { PATH: process.env['PATH'] } },
  )
  t.equal(read.status, 0, read.stderr)
  const { next, most } = JSON.parse(read.stdout)
  t.equal(next, total, 'each line once and in order')
  t.ok(most < 200 * 1024 * 1024, `${Math.round(most / 1024 / 1024)} MB at most`)
  t.comment(`${Math.round(performance.now() - began)} ms, ${Math.round(most / 1024 / 1024)} MB at most`)
  const tail = await collect({ sources, tail: 3 })
  t.strictSame(
    texts(tail),
    [3, 2, 1].map(back => `line ${total - back}`),
  )
})
