import t from 'tap'
import { boot } from '../lib/boot.ts'
import { type Got, get, textOf, wire } from '../lib/client.ts'
import { at, serve } from '../lib/services.ts'
import { deadline, eventually } from '../lib/wait.ts'

const navigation = { accept: 'text/html,application/xhtml+xml,*/*;q=0.8', 'sec-fetch-mode': 'navigate' }

t.test('requests for a service that is starting', async t => {
  await t.test('are held with their bodies unread, and delivered once', async t => {
    const { port, catalog } = await boot(t)
    const seen: string[] = []
    const service = await serve(t, async (req, res) => {
      seen.push(await textOf(req))
      res.end('done')
    })
    for (const status of ['waiting', 'starting', 'restarting'] as const) {
      seen.length = 0
      catalog.set('shop:web', { status, upstream: null })
      const body = 'x'.repeat(3_000_000)
      const answers = Array.from({ length: 20 }, (_, i) =>
        get(port, 'shop.localhost', '/', { method: 'POST', body: `${i}${body}` }),
      )
      const fetches = Array.from({ length: 20 }, () =>
        get(port, 'shop.localhost', '/', { headers: { accept: 'text/html', 'sec-fetch-mode': 'cors' } }),
      )
      await eventually(() => catalog.waiting === 40, 'all are held')
      t.strictSame(seen, [])
      catalog.set('shop:web', at(service.port))
      for (const answer of await Promise.all([...answers, ...fetches])) t.equal(answer.body, 'done')
      t.equal(seen.length, 40, 'each once')
      t.equal(seen.filter(text => text.endsWith(body)).length, 20)
      t.equal(catalog.waiting, 0)
    }
  })

  await t.test('fail when it exits', async t => {
    const { port, catalog } = await boot(t)
    catalog.tails.set('shop:web', ['boom'])
    const ends = [
      { status: 'failed', reason: 'it crashed', expected: 503 },
      { status: 'stopped', reason: null, expected: 503 },
    ] as const
    for (const { status, reason, expected } of ends) {
      catalog.set('shop:web', { status: 'starting' })
      const answer = get(port, 'shop.localhost')
      await eventually(() => catalog.waiting === 1, 'it is held')
      catalog.set('shop:web', { status, reason })
      t.equal((await answer).status, expected)
    }
    catalog.set('shop:web', { status: 'starting' })
    const answer = get(port, 'shop.localhost')
    await eventually(() => catalog.waiting === 1, 'it is held')
    catalog.remove('shop:web')
    t.equal((await answer).status, 404)
  })

  await t.test('time out, and wait again if it restarts', async t => {
    const { port, catalog } = await boot(t, { limits: { hold: 200 } })
    catalog.set('shop:web', { status: 'starting', reason: 'waiting for db' })
    const got = await get(port, 'shop.localhost')
    t.equal(got.status, 503)
    t.equal(got.header('retry-after'), '1')
    t.match(JSON.parse(got.body).error, { code: 'WAIT_TIMEOUT', message: 'shop:web is still starting' })
    t.equal(catalog.waiting, 0)
    catalog.startLimits.set('shop:web', 60_000)
    const since = performance.now()
    const client = wire(t, port).send('GET / HTTP/1.1\r\nHost: shop.localhost\r\n\r\n')
    await eventually(() => performance.now() - since > 400, 'the shorter limit to pass')
    t.equal(catalog.waiting, 1, 'it is held as long as its service may take to start')
    client.socket.destroy()
    await eventually(() => catalog.waiting === 0, 'a client that leaves is forgotten')
  })

  await t.test('are limited in number', async t => {
    const { port, catalog } = await boot(t, { limits: { heldPerService: 3, heldTotal: 5, progress: deadline } })
    for (const name of ['web', 'api', 'doc']) catalog.set(`shop:${name}`, { status: 'starting' })
    const hosts = ['shop.localhost', 'api.shop.localhost', 'doc.shop.localhost']
    const refused: Got[] = []
    const answers = hosts.flatMap(host =>
      Array.from({ length: 4 }, async () => {
        const got = await get(port, host)
        if (got.status === 503) refused.push(got)
        return got
      }),
    )
    const service = await serve(t, (_req, res) => res.end('up'))
    await eventually(() => refused.length === 7, 'the others are refused')
    t.equal(catalog.waiting, 5)
    t.equal(refused[0]?.header('x-locald'), 'busy')
    t.equal(refused[0]?.header('retry-after'), '1')
    for (const name of ['web', 'api', 'doc']) catalog.set(`shop:${name}`, at(service.port))
    const all = await Promise.all(answers)
    t.equal(all.filter(got => got.status === 200).length, 5)
    catalog.set('shop:web', { status: 'starting' })
    const again = get(port, 'shop.localhost')
    await eventually(() => catalog.waiting === 1, 'places are given back')
    catalog.set('shop:web', at(service.port))
    t.equal((await again).status, 200)
  })

  await t.test('show the progress in a browser', async t => {
    const { port, catalog } = await boot(t, { limits: { progress: 50, poll: 50 } })
    catalog.tails.set('shop:web', ['compiling <b>&amp;</b>'])
    catalog.set('shop:web', { status: 'starting', reason: 'runs "npm run dev" <script>alert(1)</script>' })
    const page = await get(port, 'shop.localhost', '/x?y', { headers: navigation })
    t.equal(page.status, 503)
    t.equal(page.header('x-locald'), 'starting')
    t.equal(page.header('retry-after'), '1')
    t.equal(page.header('cache-control'), 'no-store')
    t.match(page.body, 'compiling &#60;b&#62;&#38;amp;&#60;/b&#62;')
    t.match(page.body, 'runs &#34;npm run dev&#34; &#60;script&#62;')
    t.match(page.header('content-security-policy'), /script-src 'sha256-[^']+'; connect-src 'self'/)
    const old = await get(port, 'shop.localhost', '/', { headers: { accept: 'text/html,*/*' } })
    t.match(old.body, /<!doctype html>/, 'an old browser, without Sec-Fetch-Mode')
    const head = get(port, 'shop.localhost', '/', { headers: navigation, method: 'HEAD' })
    const data = get(port, 'shop.localhost', '/', { headers: { accept: 'application/json, text/html' } })
    const news = await get(port, 'shop.localhost', '/x?y', { headers: { 'x-locald-progress': '1' } })
    t.equal(news.status, 202)
    t.strictSame(JSON.parse(news.body), {
      reason: 'runs "npm run dev" <script>alert(1)</script>',
      lines: ['compiling <b>&amp;</b>'],
    })
    const service = await serve(t, (_req, res) => res.end('up'))
    catalog.set('shop:web', at(service.port))
    t.equal((await get(port, 'shop.localhost', '/x?y', { headers: { 'x-locald-progress': '1' } })).status, 204)
    t.equal((await head).status, 200, 'others are held meanwhile')
    t.equal((await data).body, 'up')
    catalog.set('shop:web', { status: 'starting' })
    const soon = get(port, 'shop.localhost', '/', { headers: navigation })
    await eventually(() => catalog.waiting === 1, 'it is held')
    catalog.set('shop:web', at(service.port))
    t.equal((await soon).body, 'up', 'one that is ready in time shows no progress')
  })
})
