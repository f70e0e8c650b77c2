import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { WebSocketServer } from 'ws'
import { Trust } from '../../../../plugins/https/trust/trust.ts'
import { noBrowser, openBrowser } from '../../../lib/browser.ts'
import { boot } from '../lib/boot.ts'
import { get } from '../lib/client.ts'
import { at, serve } from '../lib/services.ts'
import { ask, session } from './client.ts'

t.test('works in Chromium', { timeout: 90_000, skip: noBrowser }, async t => {
  const run = await boot(t, { https: true })
  const service = await serve(t, (req, res) => {
    if (req.url === '/events')
      return void res.writeHead(200, { 'Content-Type': 'text/event-stream' }).write('data: one\n\n')
    if (req.url !== '/') return void res.end(`export default ${JSON.stringify(req.url)}`)
    res.setHeader('Content-Type', 'text/html')
    res.end('<!doctype html><title>it</title>')
  })
  const sockets = new WebSocketServer({ server: service })
  const asked: (string | undefined)[] = []
  sockets.on('connection', (socket, req) => {
    asked.push(req.headers['x-forwarded-proto']?.toString())
    socket.on('message', data => socket.send(`${data} back`))
  })
  run.catalog.set('shop:web', at(service.port))
  const folder = run.caFolder
  const home = join(folder, '..', 'home')
  mkdirSync(join(home, '.config', 'chromium'), { recursive: true })
  const path = process.env['PATH'] ?? ''
  const trust = new Trust({ os: 'linux', uid: 1000, root: home, home, path, native: home }, folder)
  await trust.trust()
  if ((await trust.checkStores('chromium')).status !== 'pass') {
    return void t.pass('', { skip: 'certutil is not installed' })
  }
  const browser = await openBrowser(t, { HOME: home })
  const page = await browser.newPage()
  const problems: string[] = []
  page.on('console', message => problems.push(message.text()))
  page.on('pageerror', error => problems.push(error.message))
  await page.goto(`https://web.shop.localhost:${run.securePort}/`)
  t.equal(await page.title(), 'it', 'no warning stands before the page')
  const found: unknown = await page.evaluate(`(async () => {
    const socket = new WebSocket(location.href.replace('https', 'wss'))
    await new Promise((resolve, reject) => { socket.onopen = resolve; socket.onerror = reject })
    const word = await new Promise(resolve => { socket.onmessage = event => resolve(event.data); socket.send('there and') })
    const event = await new Promise(resolve => { new EventSource('/events').onmessage = event => resolve(event.data) })
    const texts = await Promise.all(Array.from({ length: 300 }, (_, i) => fetch('/' + (i + 1)).then(answer => answer.text())))
    const [entry] = performance.getEntriesByType('navigation')
    return { word, event, good: texts.filter(text => text.startsWith('export')).length, protocol: entry.nextHopProtocol }
  })()`)
  t.strictSame(found, { word: 'there and back', event: 'one', good: 300, protocol: 'h2' })
  t.strictSame(asked, ['https'])
  t.strictSame(problems, [])
  sockets.close()
})

t.test('redirects to HTTPS when configured', async t => {
  const run = await boot(t, { https: true, options: { redirect: true } })
  const service = await serve(t, (_req, res) => res.end('x'))
  run.catalog.set('shop:web', at(service.port))
  run.catalog.set('shop:blog', { ...at(service.port), hosts: ['blog.example.com'] })
  for (const method of ['GET', 'POST']) {
    const got = await get(run.port, `shop.localhost:${run.port}`, '/a?b', {
      method,
      body: method === 'POST' ? 'x' : '',
    })
    t.equal(got.status, 308)
    t.equal(got.header('location'), `https://shop.localhost:${run.securePort}/a?b`)
  }
  t.equal((await get(run.port, 'blog.example.com')).status, 200, 'not where there is no certificate')
  t.match(await ask(await session(t, run)), { body: 'x' })
})
