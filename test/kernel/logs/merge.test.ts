import t from 'tap'
import type { LogLine } from '../../../kernel/events.ts'
import { readLogs } from '../../../kernel/logs/merge.ts'
import { Clock, collect, modelSource, textsOf } from '../../lib/log-model.ts'

t.test('following', async t => {
  t.test('orders later lines of several services by time; a prompt arrives when it is complete', async t => {
    const clock = new Clock()
    const [a, b] = [modelSource(t, 'p:a', clock), modelSource(t, 'p:b', clock)]
    a.model.write('stdout', 'a1')
    b.model.write('stdout', 'b1')
    a.model.write('stdout', 'name: ', false)
    const abort = new AbortController()
    const reading = readLogs({ sources: [a, b], follow: true, signal: abort.signal })
    const next = async () => textsOf((await reading.next()).value ?? [])
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

  t.test('returns an unfinished line in pieces on request, and whole when it is complete', async t => {
    const clock = new Clock()
    const [a, b] = [modelSource(t, 'p:a', clock), modelSource(t, 'p:b', clock)]
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
    t.strictSame(textsOf((await line).value ?? []), ['next is whole'], 'a pattern is for whole lines')
    await grepped.return(undefined)
  })

  t.test('follows from the last N matching lines', async t => {
    const a = modelSource(t, 'p:a')
    for (const line of ['yes 1', 'no', 'yes 2', 'yes 3', 'no']) a.model.write('stdout', line)
    const abort = new AbortController()
    const reading = readLogs({ sources: [a], follow: true, tail: 2, grep: 'yes', signal: abort.signal })
    t.strictSame(textsOf((await reading.next()).value ?? []), ['yes 2', 'yes 3'])
    const more = reading.next()
    for (const line of ['no', 'yes 4']) {
      a.model.write('stdout', line)
      a.log.changed()
    }
    t.strictSame(textsOf((await more).value ?? []), ['yes 4'])
    await reading.return(undefined)
  })

  t.test('counts followers until they leave', async t => {
    const a = modelSource(t, 'p:a')
    const reports: boolean[] = []
    const off = a.log.onFollowed(now => reports.push(now))
    a.model.write('stdout', 'a1')
    const readers = [1, 2].map(() => readLogs({ sources: [a], follow: true, signal: new AbortController().signal }))
    for (const reader of readers) await reader.next()
    t.strictSame(reports, [false, true])
    for (const reader of readers) await reader.return(undefined)
    t.strictSame(reports, [false, true, false])
    off()
  })

  t.test('a slow reader buffers nothing: lines are read on request', async t => {
    const a = modelSource(t, 'p:a')
    for (let line = 0; line < 5000; line++) a.model.write('stdout', `line ${line}`)
    const reading = readLogs({ sources: [a], follow: true, signal: new AbortController().signal })
    const first = (await reading.next()).value ?? []
    t.ok(first.length <= 1000)
    for (let line = 5000; line < 6000; line++) a.model.write('stdout', `line ${line}`)
    a.log.changed()
    const got = [...first]
    while (got.length < 6000) got.push(...((await reading.next()).value ?? []))
    t.strictSame(
      textsOf(got),
      Array.from({ length: 6000 }, (_, line) => `line ${line}`),
    )
    await reading.return(undefined)
  })

  t.test('rejects invalid requests', async t => {
    const a = modelSource(t, 'p:a')
    a.model.write('stdout', `${'a'.repeat(60)}!`)
    await t.rejects(collect({ sources: [a], since: 'soon' }), { code: 'USAGE', message: /invalid time 'soon'/ })
    await t.rejects(collect({ sources: [a], grep: '(' }), { code: 'USAGE', message: /invalid regular expression/ })
    const began = performance.now()
    await t.rejects(collect({ sources: [a], grep: '^(a+)+$' }), { code: 'USAGE', message: /timed out/ })
    t.ok(performance.now() - began < 5000)
  })
})
