import t from 'tap'
import { freePort } from '../../../lib/ports.ts'
import { boot } from '../lib/boot.ts'
import { get } from '../lib/client.ts'
import { at, raw, serve } from '../lib/services.ts'
import { eventually } from '../lib/wait.ts'

const navigation = { accept: 'text/html,application/xhtml+xml,*/*;q=0.8', 'sec-fetch-mode': 'navigate' }

t.test('error pages', async t => {
  const { port, catalog } = await boot(t)
  const canary = '<script>alert("x")</script>\'&'
  const html = { accept: 'text/html' }
  catalog.project('shop')
  const service = await serve(t, (_req, res) => res.end('up'))

  await t.test('of a service that is not running', async t => {
    catalog.tails.set('shop:web', [...Array.from({ length: 30 }, (_, i) => `line ${i}`), canary])
    const cases = [
      { status: 'stopped', code: 503, what: 'stopped', error: 'SERVICE_NOT_RUNNING', text: /shop:web is stopped/ },
      { status: 'stopping', code: 503, what: 'stopped', error: 'SERVICE_NOT_RUNNING', text: /shop:web is stopping/ },
      { status: 'failed', code: 503, what: 'failed', error: 'SERVICE_FAILED', text: /shop:web failed/ },
      { status: 'exited', code: 503, what: 'failed', error: 'SERVICE_FAILED', text: /shop:web exited/ },
    ] as const
    for (const { status, code, what, error, text } of cases) {
      catalog.set('shop:web', { status, reason: canary })
      const page = await get(port, 'shop.localhost', '/', { headers: html })
      t.equal(page.status, code, status)
      t.equal(page.header('x-locald'), what)
      t.equal(page.header('cache-control'), 'no-store')
      t.equal(page.header('content-type'), 'text/html; charset=utf-8')
      t.match(page.header('content-security-policy'), /^default-src 'none'; style-src 'sha256-/)
      t.match(page.body, text)
      t.match(page.body, '&#60;script&#62;alert(&#34;x&#34;)&#60;/script&#62;&#39;&#38;')
      t.notMatch(page.body, '<script>alert')
      t.match(page.body, '<body data-awaits="start">')
      t.match(page.header('content-security-policy'), /script-src 'sha256-[^']+'; connect-src 'self'$/)
      const json = await get(port, 'shop.localhost')
      t.equal(json.status, code)
      t.equal(json.header('content-type'), 'application/json')
      t.match(JSON.parse(json.body).error.code, error)
      t.match(JSON.parse(json.body).error.hint, /locald (up|logs)/)
      const head = await get(port, 'shop.localhost', '/', { method: 'HEAD', headers: html })
      t.equal(head.status, code)
      t.equal(head.header('content-length'), String(Buffer.byteLength(Buffer.from(page.body, 'latin1'))))
      const post = await get(port, 'shop.localhost', '/', { method: 'POST', body: 'x'.repeat(1_000_000) })
      t.equal(post.status, code)
      if (what !== 'failed') t.match(page.body, '<code>locald up web</code>')
      else {
        t.match(page.body, /line 29\n/)
        t.notMatch(page.body, /line 9\n/, 'the last 20 lines only')
      }
    }
  })

  await t.test('reload when the service is started or reachable', async t => {
    const { port, catalog } = await boot(t, { limits: { poll: 20, longPoll: 40, reconnect: 20, grace: 20 } })
    const page = async (options = {}) => {
      const got = await get(port, 'shop.localhost', '/', { headers: html, ...options })
      return { got, awaits: /data-awaits="([^"]*)"/.exec(got.body)?.[1] ?? '' }
    }
    const news = async (awaits: string) =>
      (await get(port, 'shop.localhost', '/', { headers: { 'x-locald-progress': awaits } })).status
    const reason = 'port 1 of shop:web is in use (Stop it, or give the service another `port`)'
    catalog.set('shop:web', { status: 'failed', reason })
    const { got } = await page()
    t.match(got.body, '<h1>shop:web failed</h1>')
    t.match(got.body, 'another <code>port</code>)')
    t.match(got.body, '<title>shop:web failed</title>')
    t.equal((await page({ method: 'POST' })).awaits, '', 'not the response to a POST')
    t.equal(await news('start'), 202)
    const later = news('start')
    await eventually(() => catalog.listeners.size > 1, 'it waits for news')
    catalog.set('shop:web', { status: 'starting' })
    t.equal(await later, 204, 'at once, when it is started')

    const fault = { message: 'web listens on port 4000, not on $PORT (26066)', hint: 'Set `port = 4000` for it.' }
    catalog.faults.set('shop:web', fault)
    catalog.set('shop:web', { status: 'starting', fault, ...at(await freePort()) })
    catalog.set('shop:web', { status: 'starting' })
    t.equal(await news('ready'), 204, 'the progress page makes way')
    const started = performance.now()
    const wrong = await page({ headers: navigation })
    t.match([wrong.got.status, wrong.got.header('x-locald'), wrong.awaits], [502, 'unreachable', 'fault'])
    t.match(wrong.got.body, 'web listens on port 4000, not on $PORT (26066)</h1>')
    t.match(wrong.got.body, 'Set <code>port = 4000</code> for it.')
    t.ok(performance.now() - started < 2_000, 'at once')
    t.match(JSON.parse((await get(port, 'shop.localhost')).body).error, fault, 'and to waiters for data')
    t.equal(await news('fault'), 202)
    catalog.set('shop:web', { status: 'running' })
    t.equal((await page()).awaits, 'fault')
    const examined = catalog.examined
    t.equal((await get(port, 'shop.localhost')).status, 502)
    t.ok(catalog.examined > examined, 'it is checked again')
    catalog.faults.clear()
    const real = await serve(t, (_, res) => res.end('up'))
    catalog.set('shop:web', at(real.port))
    t.equal((await get(port, 'shop.localhost')).body, 'up')
    t.equal(await news('fault'), 204)

    catalog.set('shop:web', at(await freePort()))
    const refused = await page()
    t.match([refused.got.status, refused.awaits], [502, 'open'])
    t.equal(await news('open'), 202)
    catalog.set('shop:web', at(real.port))
    t.equal(await news('open'), 204)

    const broken = await raw(t, socket => socket.on('data', () => socket.destroy()))
    catalog.set('shop:web', at(broken.port))
    const { awaits } = await page()
    t.match(awaits, /^run \d+$/)
    t.equal(await news(awaits), 202)
    catalog.set('shop:web', { status: 'restarting', restarts: 1 })
    catalog.set('shop:web', at(broken.port))
    t.equal(await news(awaits), 202, 'not when it was only restarted after a crash')
    catalog.set('shop:web', { status: 'waiting', restarts: 0 })
    t.equal(await news(awaits), 204, 'but when it was started manually')
  })

  await t.test('of an unknown host', async t => {
    catalog.set('shop:web', { ...at(service.port), reason: canary })
    catalog.set('shop:old', { status: 'stopped' })
    const page = await get(port, 'shpo.localhost', `/${encodeURI(canary)}`, { headers: html })
    t.equal(page.status, 404)
    t.equal(page.header('x-locald'), 'unknown-host')
    t.match(page.body, 'Did you mean shop.localhost?')
    t.match(page.body, `href="http://shop.localhost:${port}/"`)
    t.notMatch(page.body, 'shop:old', 'what is running')
    t.notMatch(page.body, '<script')
    const far = await get(port, 'something-else.localhost', '/', { headers: html })
    t.notMatch(far.body, 'Did you mean')
    t.match(far.body, 'shop:web')
    const stranger = await get(port, 'shop.localhost.evil.example', '/', { headers: html })
    t.equal(stranger.status, 404)
    t.notMatch(stranger.body, 'shop:web', 'a public name that points here gets no list')
    t.match(JSON.parse((await get(port, 'shpo.localhost')).body).error, {
      code: 'UNKNOWN_SERVICE',
      hint: 'Did you mean shop.localhost?',
    })
  })

  await t.test('list all services', async t => {
    catalog.set('shop:bad', { status: 'failed', reason: canary, hosts: [`a"b${canary}`], health: null })
    for (const host of ['localhost', `localhost:${port}`, '127.0.0.1', `[::1]:${port}`, 'LOCALD.localhost.']) {
      const page = await get(port, host, '/', { headers: html })
      t.equal(page.status, 200, host)
      t.equal(page.header('x-locald'), 'index')
      t.match(page.body, 'shop:web')
      t.match(page.body, 'running, healthy')
      t.match(page.body, `href="http://web.shop.localhost:${port}/"`)
      t.match(page.body, '/home/me/shop')
      t.notMatch(page.body, '<script')
      t.notMatch(page.body, /href="[^"]*[<>'][^"]*"/)
    }
    const { services } = JSON.parse((await get(port, 'localhost')).body)
    t.match(services[0], {
      key: 'shop:web',
      status: 'running',
      urls: [`http://shop.localhost:${port}`, `http://web.shop.localhost:${port}`],
    })
    t.equal((await get(port, 'localhost', '/', { method: 'HEAD' })).body, '')
    t.equal((await get(port, 'localhost', '/', { method: 'POST' })).status, 405)
    t.equal((await get(port, 'localhost', '/v1/services')).status, 404)
    t.equal((await get(port, 'locald.localhost', '/x')).status, 404)
    t.equal((await get(port, 'x.locald.localhost')).status, 404)
  })

  await t.test('are marked with X-Locald and never cached', async t => {
    for (const [host, path] of [
      ['nobody.localhost', '/'],
      ['localhost', '/'],
      ['localhost', '/v1'],
      ['old.shop.localhost', '/'],
    ] as const) {
      const got = await get(port, host, path)
      t.ok(got.header('x-locald'), host)
      t.equal(got.header('cache-control'), 'no-store')
      t.equal(got.header('x-content-type-options'), 'nosniff')
    }
    t.notOk((await get(port, 'shop.localhost')).header('x-locald'))
  })
})
