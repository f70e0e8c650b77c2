import t from 'tap'
import { LogPosition } from '../../../kernel/logs/log-position.ts'

const line = (service: string, text: string, us = 1) => ({
  ...{ time: `2026-12-01T10:00:00.${String(us).padStart(6, '0')}Z`, stream: 'stdout' },
  ...{ service, text },
})

function again(position: LogPosition): LogPosition {
  const parsed = LogPosition.parse(position.toString())
  if (parsed === undefined) throw new Error(`not a position: ${position}`)
  return parsed
}

t.test('a position survives as a text, and counts on', async t => {
  const position = new LogPosition('2026-12-01T09:00:00.000Z')
  position.cover(['p:a', 'p:b'], false)
  position.take([line('p:a', 'same'), line('p:a', 'same')])
  const parsed = again(position)
  t.match(parsed.resume().anchors.get('p:a'), { count: 2 })
  parsed.take([line('p:a', 'same')])
  t.match(again(parsed).resume().anchors.get('p:a'), { count: 3, stream: 'stdout', time: line('', '').time })
  parsed.take([line('p:a', 'other')])
  t.match(parsed.resume().anchors.get('p:a'), { count: 1 })
  t.ok(parsed.resume().since.has('p:b'), 'one without a line has its time')
  for (const text of ['', 'nonsense', '2026-12-01T09:00:00.000Z\nnonsense']) t.equal(LogPosition.parse(text), undefined)
  t.equal(LogPosition.parse(undefined), undefined)
})

t.test('a service that was not followed begins now', async t => {
  const begun = '2020-01-01T00:00:00.000Z'
  const position = new LogPosition(begun)
  position.cover(['p:a'], false)
  position.take([line('p:a', 'x')])
  const parsed = again(position)
  parsed.cover(['p:b'], false)
  const since = parsed.resume().since.get('p:b') ?? ''
  t.ok(since > '2026', since)
  t.notOk(parsed.resume().anchors.has('p:a'), 'one that is not followed is forgotten')
})

t.test('a new service begins with the stream of a reader that follows all', async t => {
  const position = new LogPosition('2026-12-01T09:00:00.000Z')
  position.cover([], true)
  const begun = position.toString().split(' ')[0]
  const parsed = again(position)
  parsed.cover(['p:new'], true)
  t.equal(parsed.resume().since.get('p:new'), begun)
})
