import { spawn } from 'node:child_process'
import { once } from 'node:events'
import t from 'tap'
import proxyPlugin from '../../../plugins/proxy/index.ts'
import { boot } from './lib/boot.ts'
import { get, wire } from './lib/client.ts'
import { at, serve } from './lib/services.ts'
import { eventually, latch, openFiles } from './lib/wait.ts'

t.test('is named proxy', async t => {
  t.equal(proxyPlugin.name, 'proxy')
  t.equal(proxyPlugin.api, 1)
})

t.test('serves requests beside many idle connections', { timeout: 60_000 }, async t => {
  const { port, catalog } = await boot(t)
  const service = await serve(t, (_req, res) => res.end('fine'))
  catalog.set('shop:web', at(service.port))
  const many = openFiles() > 12_000 ? 10_000 : 1_000
  const source = `
    const net = require('node:net')
    let open = 0
    const next = () => {
      const socket = net.connect(${port}, '127.0.0.1', () => {
        open++
        if (open % 2 === 0) socket.write('GET / HTTP/1.1\\r\\nHost: sh')
        if (open === ${many}) process.stdout.write('ready')
        else if (open + 100 <= ${many}) next()
      })
      socket.on('error', error => { console.error(error); process.exit(1) })
    }
    for (let i = 0; i < 100; i++) next()`
  const before = process.memoryUsage.rss()
  const child = spawn(process.execPath, ['-e', source], { stdio: ['ignore', 'pipe', 'inherit'] })
  t.teardown(() => child.kill('SIGKILL'))
  await once(child.stdout, 'data')
  for (let i = 0; i < 20; i++) {
    const got = await Promise.all(Array.from({ length: 10 }, () => get(port, 'shop.localhost')))
    if (got.some(({ body }) => body !== 'fine')) t.fail('an answer is wrong')
  }
  const grown = process.memoryUsage.rss() - before
  t.ok(grown < many * 40_000, `${Math.round(grown / many)} bytes for each of ${many}`)
  child.kill('SIGKILL')
  await once(child, 'exit')
})

t.test('finishes requests in flight on close', async t => {
  const run = await boot(t, { limits: { closing: 300 } })
  const { port, catalog } = run
  const finish = latch()
  const service = await serve(t, async (req, res) => {
    if (req.url === '/forever') return void res.write('x')
    await finish.promise
    res.end('finished')
  })
  catalog.set('shop:web', at(service.port))
  catalog.set('shop:slow', { status: 'starting' })
  const idle = wire(t, port).send('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n')
  await idle.has('"services"')
  const forever = wire(t, port).send('GET /forever HTTP/1.1\r\nHost: shop.localhost\r\n\r\n')
  await forever.has('x\r\n')
  const soon = get(port, 'shop.localhost', '/soon')
  const held = get(port, 'slow.shop.localhost')
  await eventually(() => catalog.waiting === 1, 'one is held')
  const closed = run.close()
  t.match(await held, { status: 503 })
  finish.open()
  t.equal((await soon).body, 'finished', 'what is in flight may finish')
  await closed
  await idle.end()
  await forever.end()
  t.notMatch(forever.text, '\r\n0\r\n')
  t.equal(catalog.waiting, 0)
})
