import { once } from 'node:events'
import { createServer, type Server } from 'node:net'
import t, { type Test } from 'tap'
import { listen } from '../../../../plugins/proxy/listen/bind.ts'
import { freePort } from '../../../lib/ports.ts'

/** Listens as macOS allows it: loopback is free, even if another program has the port of all addresses. */
function listenOptions(t: Test, isInUse: (address: string, port: number) => boolean) {
  const servers: Server[] = []
  const elevated: number[] = []
  t.teardown(() => Promise.all(servers.filter(it => it.listening).map(it => once(it.close(), 'close'))))
  return {
    elevated,
    createServer: () => {
      const server = createServer()
      servers.push(server)
      return server
    },
    elevate: async (port: number) => {
      elevated.push(port)
      return undefined
    },
    isInUse: async (address: string, port: number) => isInUse(address, port),
  }
}

t.test('skips a port on which another program answers, even if it can be bound', async t => {
  for (const taken of ['127.0.0.1', '::1']) {
    const from = await freePort()
    const got = await listen(
      { preferred: [], from },
      listenOptions(t, (address, port) => address === taken && port === from),
    )
    t.match(got, { missed: { port: from, code: 'EADDRINUSE' } }, taken)
    t.ok(got.port !== null && got.port > from, taken)
  }
})

t.test('uses the requested port and no other', async t => {
  const exactly = await freePort()
  const isInUse = (_: string, port: number) => port === exactly
  t.strictSame(await listen({ exactly }, listenOptions(t, isInUse)), {
    port: null,
    wanted: exactly,
    code: 'EADDRINUSE',
  })
})

t.test('does not use the privileged helper for a port that is in use', async t => {
  const from = await freePort()
  const given = listenOptions(t, (_, port) => port === 80)
  t.match(await listen({ preferred: [80], from }, given), { missed: { port: 80, code: 'EADDRINUSE' } })
  t.strictSame(given.elevated, [])
})

t.test('picks any port only if it is free on ::1, too', async t => {
  const refused: number[] = []
  const isInUse = (address: string, port: number) => {
    if (address !== '::1' || refused.length === 3) return false
    refused.push(port)
    return true
  }
  const got = await listen({ exactly: 0 }, listenOptions(t, isInUse))
  t.equal(refused.length, 3)
  t.ok(got.port !== null && !refused.includes(got.port))
})
