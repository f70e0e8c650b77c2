import { connect } from 'node:net'
import Fastify from 'fastify'
import t, { type Test } from 'tap'
import { type Lines, streams } from '../../../kernel/api/ndjson.ts'
import { StreamSlots } from '../../../kernel/api/stream/slots.ts'
import { withResolvers } from '../../../kernel/system/async.ts'

const megabyte = 'x'.repeat(1024 * 1024)

/** A server with one stream at `/`; its port. */
async function serve(t: Test, write: (lines: Lines<string>) => Promise<void>): Promise<number> {
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(streams, { slots: new StreamSlots({ rest: () => {}, discarded: () => {} }) })
  app.get('/', async (_, reply) => reply.lines<string>(write))
  return Number(new URL(await app.listen({ host: '127.0.0.1', port: 0 })).port)
}

t.test('an answer larger than the write buffer arrives whole', async t => {
  const port = await serve(t, ({ send }) => send(Array.from({ length: 8 }, () => megabyte)))
  const answer = await fetch(`http://127.0.0.1:${port}/`)
  const lines = (await answer.text()).trimEnd().split('\n')
  t.strictSame(
    lines.map(line => JSON.parse(line).length),
    Array.from({ length: 8 }, () => megabyte.length),
  )
})

t.test('a client that never reads is disconnected when its buffer is full', async t => {
  const done = withResolvers<number>()
  const port = await serve(t, async ({ signal, push }) => {
    let sentMb = 0
    for (; !signal.aborted && sentMb < 100; sentMb++) {
      push(megabyte)
      await new Promise(setImmediate)
    }
    done.resolve(sentMb)
  })
  const socket = connect(port, '127.0.0.1').pause()
  t.teardown(() => socket.destroy())
  socket.on('error', () => {})
  socket.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n')
  const sentMb = await done.promise
  t.ok(sentMb < 40, `after ${sentMb} MB`)
})
