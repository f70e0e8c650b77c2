import t from 'tap'
import { Budget } from '../../../../plugins/proxy/recorder/budget.ts'
import { Frames } from '../../../../plugins/proxy/recorder/frames.ts'
import { WebSocketReader } from '../../../../plugins/proxy/recorder/websocket.ts'

/** Reads bytes as the frames of a client, as while someone looks, and returns what was kept. */
function framesOf(pieces: readonly Buffer[]): Frames {
  const frames = new Frames(new Budget(1024 * 1024))
  const reader = new WebSocketReader('client', { frames, isWanted: () => true, changed: () => undefined })
  for (const piece of pieces) reader.read(piece)
  return frames
}

t.test('keeps control frames that are whole and short, and stops at others', async t => {
  const text = Buffer.from([0x81, 1, 0x61])
  t.match(framesOf([Buffer.from([0x89, 1, 0x62]), text]).list, [{ type: 'ping', size: 1 }, { type: 'text' }])
  t.strictSame(framesOf([Buffer.from([0x09, 1, 0x62]), text]).list, [], 'a ping in pieces')
  t.strictSame(framesOf([Buffer.from([0x89, 126, 0, 126]), Buffer.alloc(126), text]).list, [], 'a long ping')
})

t.test('does not collect a control frame that has no end', async t => {
  const [head, piece] = [Buffer.from([0x89, 127, 0, 0, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff]), Buffer.alloc(1024 * 1024)]
  const before = process.memoryUsage().arrayBuffers
  framesOf([head, ...Array.from({ length: 200 }, () => piece)])
  const grown = process.memoryUsage().arrayBuffers - before
  t.ok(grown < 100 * 1024 * 1024, `${grown} bytes`)
})
