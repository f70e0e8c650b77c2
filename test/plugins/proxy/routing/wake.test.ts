import { once } from 'node:events'
import { connect } from 'node:net'
import t from 'tap'
import { boot } from '../lib/boot.ts'
import { get } from '../lib/client.ts'
import { at, serve } from '../lib/services.ts'
import { eventually, latch } from '../lib/wait.ts'

const asleep = { status: 'stopped', upstream: null, asleep: true } as const
const poll = { accept: 'text/html', 'x-locald-progress': 'start' }

t.test('a request wakes a service that sleeps, and waits for it', async t => {
  const wakes: string[] = []
  const begun = latch()
  const { port, catalog } = await boot(t, {
    limits: { longPoll: 50, heldPerService: 3 },
    wake: async key => {
      wakes.push(key)
      await begun.promise
      catalog.set(key, { status: 'starting', asleep: false })
    },
  })
  const service = await serve(t, (_, res) => res.end('done'))
  catalog.set('shop:web', asleep)
  await get(port, 'shop.localhost', '/', { headers: poll })
  t.strictSame(wakes, [], 'a page that waits for a start wakes nothing')
  const held = [get(port, 'shop.localhost'), get(port, 'shop.localhost', '/', { method: 'POST', body: 'x' })]
  await eventually(() => wakes.length === 2, 'both wait')
  catalog.set('shop:web', { ...asleep, status: 'stopping' })
  held.push(get(port, 'shop.localhost'))
  await eventually(() => wakes.length === 3, 'the third waits, while the service is being stopped')
  const refused = await get(port, 'shop.localhost')
  t.equal(refused.status, 503, 'no more are held than may be')
  begun.open()
  await eventually(() => catalog.waiting === 3, 'all wait for the start')
  catalog.set('shop:web', { ...at(service.port), status: 'running' })
  for (const { body } of await Promise.all(held)) t.equal(body, 'done')
  t.equal(wakes.length, 3)
})

t.test('a request for a service that sleeps goes to what listens in its place', async t => {
  const { port, catalog } = await boot(t, { wake: async () => void t.fail('it was woken') })
  const service = await serve(t, (_, res) => res.end('stand-in'))
  catalog.set('shop:web', { ...at(service.port), status: 'stopped', asleep: true })
  catalog.standIns.add('shop:web')
  t.equal((await get(port, 'shop.localhost')).body, 'stand-in')
})

t.test('counts requests and tunnels of a port, and knows when it was used last', async t => {
  const { port, catalog, traffic } = await boot(t, { limits: { upstreamIdle: 100 } })
  const slow = latch()
  const service = await serve(t, async (_, res) => {
    await slow.promise
    res.end('done')
  })
  service.on('upgrade', (_, socket) => {
    socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n')
    socket.pipe(socket)
  })
  catalog.set('shop:web', at(service.port))
  const now = () => traffic.of(service.port)
  t.same(now(), { open: 0, connections: 0, usedAt: undefined })
  const answer = get(port, 'shop.localhost')
  await eventually(() => now().open === 1, 'the request is open')
  slow.open()
  await answer
  const { open, connections, usedAt = 0 } = now()
  t.match({ open, connections }, { open: 0, connections: 1 }, 'its connection waits for the next request')
  t.ok(performance.now() - usedAt < 5000)
  await eventually(() => now().connections === 0, 'the connection is closed')
  t.equal(now().usedAt, usedAt, 'which is no use')
  const client = connect(port, '127.0.0.1')
  client.write('GET / HTTP/1.1\r\nHost: shop.localhost\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n')
  await once(client, 'data')
  t.match(now(), { open: 1, connections: 1 })
  client.destroy()
  await eventually(() => now().open === 0, 'the tunnel is closed')
  t.ok((now().usedAt ?? 0) > usedAt)
})
