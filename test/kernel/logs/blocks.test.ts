import { writeFileSync } from 'node:fs'
import t from 'tap'
import { blockSize, blocksBefore } from '../../../kernel/logs/blocks.ts'
import { Grep } from '../../../kernel/logs/grep.ts'
import { openNewestSegment } from '../../../kernel/logs/segments.ts'
import { ServiceLog } from '../../../kernel/logs/service-log.ts'
import { Clock, folder } from '../../lib/log-model.ts'

t.test('other work has a turn before each block whose lines are matched', async t => {
  const { file } = new ServiceLog(folder(t, true))
  const clock = new Clock()
  const text = `a request ${'.'.repeat(100)}`
  const lines = Array.from({ length: 16_000 }, () => `${clock.tick()} stdout F ${text}\n`).join('')
  writeFileSync(file, lines)
  let turns = 0
  const count = () => {
    turns++
    next = setImmediate(count)
  }
  let next = setImmediate(count)
  t.teardown(() => clearImmediate(next))
  const segment = await openNewestSegment(file)
  if (segment === undefined) throw new Error('no log')
  let bytes = ''
  const before: number[] = []
  for await (const block of blocksBefore(file, segment, lines.length, new Grep('request').prefilter)) {
    bytes = `${block.bytes}${bytes}`
    before.push(turns)
  }
  await segment.close()
  t.equal(bytes, lines)
  t.ok(before.length >= lines.length / (2 * blockSize))
  t.equal(new Set(before).size, before.length, `turns: ${before.join(' ')}`)
})
