import net from 'node:net'
import t from 'tap'
import { ask, session } from '../http2/client.ts'
import { boot } from '../lib/boot.ts'
import { get } from '../lib/client.ts'
import { at, serve } from '../lib/services.ts'
import { eventually, latch } from '../lib/wait.ts'

t.test('waits for requests in flight before a service is stopped', async t => {
  const landing = 1000
  const run = await boot(t, { https: true, limits: { draining: landing } })
  const { catalog, host } = run
  const client = await session(t, run)
  const open: (() => void)[] = []
  const upgraded = latch()
  const service = await serve(t, (req, res) => {
    req.resume()
    if (req.url === '/begun') res.write('x')
    open.push(() => res.end('done'))
  })
  service.on('upgrade', (_req, socket) => {
    socket.on('error', () => undefined)
    socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n', upgraded.open)
  })
  catalog.set('shop:web', at(service.port))
  const project = { name: 'shop', path: '/shop', domain: 'shop.localhost' }
  const stopping = () => host.hooks.stopping.promise({ key: 'shop:web', name: 'web', type: 'exec', project })
  const idle = performance.now()
  await stopping()
  t.ok(performance.now() - idle < landing / 2, 'nothing is in flight')
  const requests: Readonly<Record<string, () => Promise<{ status: number; body: string }>>> = {
    'a GET': () => get(run.port, 'shop.localhost'),
    'a response under way': () => get(run.port, 'shop.localhost', '/begun'),
    'a POST': () => get(run.port, 'shop.localhost', '/', { method: 'POST', body: 'x' }),
    'a GET of HTTP/2': () => ask(client),
    'a POST of HTTP/2': () => ask(client, { ':method': 'POST' }, 'x'),
  }
  for (const [what, request] of Object.entries(requests)) {
    open.length = 0
    const answer = request()
    await eventually(() => open.length === 1, 'it is there')
    let waits = true
    const began = performance.now()
    const stopped = stopping().then(() => {
      waits = false
    })
    await new Promise(setImmediate)
    t.ok(waits, `${what} is awaited`)
    open[0]?.()
    const { status, body } = await answer
    await stopped
    t.match({ status, body }, { status: 200, body: /done$/ })
    t.ok(performance.now() - began < landing, 'no longer than it takes')
  }
  open.length = 0
  const slow = get(run.port, 'shop.localhost')
  await eventually(() => open.length === 1, 'it is there')
  const begun = performance.now()
  await stopping()
  const waited = performance.now() - begun
  t.ok(waited > landing * 0.9, `a slow request is awaited up to the limit (${waited} ms)`)
  const late = performance.now()
  await stopping()
  t.ok(performance.now() - late < landing / 2, 'a request that has taken that long already is not')
  open[0]?.()
  await slow
  const accept = 'text/event-stream'
  const streams = {
    'an event stream': () => get(run.port, 'shop.localhost', '/begun', { headers: { accept } }),
    'one by node:http': () => get(run.port, 'shop.localhost', '/begun', { method: 'POST', headers: { accept } }),
    'one of HTTP/2': () => ask(client, { ':path': '/begun', accept }),
    'one of HTTP/2 that a POST began': () => ask(client, { ':path': '/begun', ':method': 'POST', accept }, 'x'),
  }
  for (const [what, request] of Object.entries(streams)) {
    open.length = 0
    const answer = request()
    await eventually(() => open.length === 1, 'it is there')
    const now = performance.now()
    await stopping()
    t.ok(performance.now() - now < landing / 2, `${what} has no end to wait for`)
    open[0]?.()
    await answer
  }
  const socket = net.connect(run.port, '127.0.0.1')
  t.teardown(() => socket.destroy())
  socket.write('GET / HTTP/1.1\r\nHost: shop.localhost\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n')
  await upgraded.promise
  const free = performance.now()
  await stopping()
  t.ok(performance.now() - free < landing / 2, 'nor is an upgraded connection')
})
