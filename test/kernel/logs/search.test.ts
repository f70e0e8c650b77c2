import { appendFileSync } from 'node:fs'
import t from 'tap'
import type { LogLine } from '../../../kernel/events.ts'
import { type SearchRequest, type SearchStep, searchLogs } from '../../../kernel/logs/search.ts'
import { Clock, collect, modelSource, textsOf } from '../../lib/log-model.ts'

async function search(request: Partial<SearchRequest> & Pick<SearchRequest, 'sources' | 'text'>) {
  const steps: SearchStep[] = []
  for await (const step of searchLogs({ limit: 1000, signal: new AbortController().signal, ...request }))
    steps.push(step)
  const last = steps.at(-1)
  if (last === undefined) throw new Error('there was no step')
  return { steps, last, found: textsOf(steps.flatMap(({ lines }) => lines)) }
}

t.test('reading until a time', async t => {
  t.test('pages back through rotated logs without a line twice or missing, with equal times', async t => {
    const clock = new Clock()
    const sources = [modelSource(t, 'p:a', clock), modelSource(t, 'p:b', clock)]
    // Lines of one read of a keeper have the same time; some are longer than a block.
    for (let n = 0, time = clock.tick(); n < 3000; n++) {
      if (n % 37 === 0) time = clock.tick()
      const { log, model } = sources[n % 2] ?? modelSource(t, '')
      const text = n % 500 === 7 ? `long ${'x'.repeat(90_000)} ${n}` : n % 5 === 0 ? 'same' : `line ${n}`
      for (let at = 0; at < text.length; at += 16_384) {
        const isFull = at + 16_384 >= text.length
        appendFileSync(log.file, `${time} stdout ${isFull ? 'F' : 'P'} ${text.slice(at, at + 16_384)}\n`)
      }
      if (n % 1100 === 1099) model.rotate()
    }
    const all = await collect({ sources })
    t.equal(all.length, 3000)
    // As a page does it: it knows what it has of the oldest time.
    let held = await collect({ sources, tail: 50 })
    for (let pages = 0; held.length < all.length && pages < 100; pages++) {
      const until = held[0]?.time ?? ''
      const known = held.filter(({ time }) => time <= until)
      const page = await collect({ sources, until, tail: 100 + known.length })
      held = [...without(page, known), ...held]
    }
    t.strictSame(sorted(held), sorted(all))
  })

  t.test('finds lines whose time is before, also where the clock was set back', async t => {
    const one = modelSource(t, 'p:a')
    const early = one.model.clock.tick()
    for (let n = 0; n < 3000; n++) one.model.write('stdout', `late ${n}`)
    const until = new Clock()
    until.tick(2)
    appendFileSync(one.log.file, `${early} stdout F set back\n`)
    for (let n = 0; n < 3000; n++) one.model.write('stdout', `later ${n}`)
    t.strictSame(textsOf(await collect({ sources: [one], until: early, tail: 10 })), ['set back'])
    t.strictSame(await collect({ sources: [one], until: '2020-01-01T00:00:00Z', tail: 10 }), [])
    t.strictSame(await collect({ sources: [one], until: '2020-01-01T00:00:00Z' }), [])
  })

  t.test('with a pattern and since', async t => {
    const one = modelSource(t, 'p:a')
    for (let n = 0; n < 100; n++) one.model.write('stdout', `line ${n}`)
    const time = (n: number) => one.model.lines[n]?.time
    const lines = await collect({ sources: [one], since: time(10), until: time(30), grep: '5$' })
    t.strictSame(textsOf(lines), ['line 15', 'line 25'])
    await t.rejects(collect({ sources: [one], until: 'nonsense' }), { code: 'USAGE' })
  })
})

/** Returns lines without those that are known; equal ones count. */
function without(lines: readonly LogLine[], known: readonly LogLine[]): readonly LogLine[] {
  const left = known.map(line => JSON.stringify(line))
  return lines
    .toReversed()
    .flatMap(line => {
      const at = left.indexOf(JSON.stringify(line))
      if (at >= 0) left.splice(at, 1)
      return at >= 0 ? [] : [line]
    })
    .toReversed()
}

function sorted(lines: readonly LogLine[]): readonly string[] {
  return lines.map(line => JSON.stringify(line)).toSorted()
}

t.test('searching', async t => {
  t.test('finds lines of all services from the newest on, in all files', async t => {
    const clock = new Clock()
    const [a, b] = [modelSource(t, 'p:a', clock), modelSource(t, 'p:b', clock)]
    const expected: string[] = []
    for (let n = 0; n < 20_000; n++) {
      const isHit = n % 1000 === 500
      const text = isHit ? `Needle \u001b[1mnumber\u001b[0m ${n}` : `hay ${n} ${'.'.repeat(n % 50)}`
      const one = n % 2 === 0 ? a : b
      one.model.write('stdout', text)
      if (isHit) expected.push(text)
      if (n % 7000 === 6999) one.model.rotate()
    }
    b.model.write('stdout', 'needle number ', false)
    b.model.write('stdout', '7')
    const sources = [a, b]
    const { last, found, steps } = await search({ sources, text: 'needle number' })
    // A block of each service at a time.
    t.strictSame(found.toSorted(), ['needle number 7', ...expected].toSorted())
    t.match(last, { isComplete: true, progress: { matches: 21, scannedTo: a.model.lines[0]?.time } })
    t.equal(last.progress.scannedBytes, last.progress.totalBytes)
    t.ok(steps.length > 10, 'progress is reported meanwhile')
    t.strictSame((await search({ sources, text: 'Needle', case: true })).found.length, 20)
    t.strictSame((await search({ sources, text: 'needle.* 1500$', regex: true })).found, [expected[1]])
    const limited = await search({ sources, text: 'needle', limit: 5 })
    t.equal(limited.found.length, 5)
    t.ok(limited.found.every(text => text === 'needle number 7' || expected.slice(-6).includes(text)))
    t.equal(limited.last.isComplete, false)
    const [since, until] = [3000, 5000].map(n => a.model.lines[n / 2]?.time)
    t.strictSame((await search({ sources, text: 'needle', since, until })).found, [expected[4], expected[3]])
    t.match(await search({ sources: [], text: 'x' }), { found: [], last: { isComplete: true } })
  })

  t.test('a line over two blocks is matched whole', async t => {
    const one = modelSource(t, 'p:a')
    for (let n = 0; n < 4; n++) one.model.write('stdout', `${n}`.repeat(15_000), false)
    one.model.write('stdout', 'end')
    one.model.write('stdout', 'x'.repeat(30_000))
    const { found } = await search({ sources: [one], text: '^0+1+2.*end$', regex: true })
    t.strictSame(
      found.map(({ length }) => length),
      [60_003],
    )
  })

  t.test('ends when it is aborted', async t => {
    const one = modelSource(t, 'p:a')
    for (let n = 0; n < 10_000; n++) one.model.write('stdout', `line ${n}`)
    const abort = new AbortController()
    let steps = 0
    for await (const _ of searchLogs({ sources: [one], text: 'line', limit: 1e6, signal: abort.signal })) {
      steps++
      abort.abort()
    }
    t.equal(steps, 1)
  })

  t.test('an expression that is wrong or takes too long is an error', async t => {
    const one = modelSource(t, 'p:a')
    one.model.write('stdout', `${'a'.repeat(40)}!`)
    await t.rejects(search({ sources: [one], text: '(', regex: true }), { code: 'USAGE', message: /invalid regular/ })
    await t.rejects(search({ sources: [one], text: '^(a+)+$', regex: true }), { code: 'USAGE', message: /timed out/ })
  })
})
