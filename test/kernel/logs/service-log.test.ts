import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { createWriteStream } from 'node:fs'

import t from 'tap'

import { readLogs } from '../../../kernel/logs/merge.ts'
import { Logs, ServiceLog } from '../../../kernel/logs/service-log.ts'
import { LogWriter } from '../../../kernel/logs/writer.ts'
import { collect, folder, modelSource, textsOf } from '../../lib/log-model.ts'

t.test('returns long lines in batches of bounded size', async t => {
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

t.test('one log for each service', async t => {
  const logs = new Logs(folder(t))
  t.equal(logs.of('p', 'a'), logs.of('p', 'a'))
  t.not(logs.of('p', 'a').file, logs.of('p', 'b').file)
})

t.test('2,000,000 lines are read back in bounded memory', async t => {
  const sources = [modelSource(t, 'p:a'), modelSource(t, 'p:b')]
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
    textsOf(tail),
    [3, 2, 1].map(back => `line ${total - back}`),
  )
})
