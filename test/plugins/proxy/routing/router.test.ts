import type { RequestListener } from 'node:http'
import t from 'tap'
import { boot } from '../lib/boot.ts'
import { get, wire } from '../lib/client.ts'
import { at, serve } from '../lib/services.ts'

t.test('routing', async t => {
  const { port, catalog } = await boot(t)
  const name =
    (text: string): RequestListener =>
    (req, res) =>
      res.end(`${text} ${req.url} ${req.headers['x-forwarded-prefix'] ?? ''}`)
  const [web, api, old, blog] = await Promise.all(['web', 'api', 'old', 'blog'].map(text => serve(t, name(text))))
  catalog.project('shop', [
    { prefix: '/api', service: 'api', stripPrefix: false },
    { prefix: '/api/v0/', service: 'old', stripPrefix: true },
    { prefix: '/old', service: 'old', stripPrefix: true },
    { prefix: '/other', service: 'other', stripPrefix: false },
  ])
  catalog.project('blog', [{ prefix: '/api', service: 'site', stripPrefix: true }], 'my.blog.test', true)
  catalog.set('shop:web', at(web?.port ?? 0))
  catalog.set('shop:api', at(api?.port ?? 0))
  catalog.set('shop:old', at(old?.port ?? 0))
  catalog.set('shop:queue', { hosts: [] })
  catalog.set('blog:site', { ...at(blog?.port ?? 0), hosts: ['my.blog.test', 'site.my.blog.test'] })
  const cases: [host: string, path: string, body: string][] = [
    ['shop.localhost', '/x?y=1', 'web /x?y=1 '],
    ['SHOP.LocalHost:1234', '/', 'web / '],
    ['shop.localhost.', '/', 'web / '],
    ['shop.localhost.:80', '/', 'web / '],
    ['web.shop.localhost', '/api', 'web /api '],
    ['shop.localhost', '/api', 'api /api '],
    ['shop.localhost', '/api/', 'api /api/ '],
    ['shop.localhost', '/api/x?/apix', 'api /api/x?/apix '],
    ['shop.localhost', '/api?q', 'api /api?q '],
    ['shop.localhost', '/apix', 'web /apix '],
    ['shop.localhost', '/API', 'web /API '],
    ['shop.localhost', '/api/v0', 'old / /api/v0'],
    ['shop.localhost', '/api/v0/a', 'old /a /api/v0'],
    ['shop.localhost', '/api/v00', 'api /api/v00 '],
    ['shop.localhost', '/old', 'old / /old'],
    ['shop.localhost', '/old?a=b', 'old /?a=b /old'],
    ['shop.localhost', '/old/', 'old / /old'],
    ['shop.localhost', '/old/x/y?z', 'old /x/y?z /old'],
    ['api.shop.localhost', '/old', 'api /old '],
    ['my.blog.test', '/', 'blog / '],
    ['x.my.blog.test', '/', 'blog / '],
    ['x.y.my.blog.test', '/', 'blog / '],
    ['x.my.blog.test', '/api/1', 'blog /1 /api'],
    ['site.my.blog.test', '/api/1', 'blog /api/1 '],
    ['x.site.my.blog.test', '/', 'blog / '],
  ]
  for (const [host, path, body] of cases) {
    const got = await get(port, host, path)
    t.equal(got.body, body, `${host}${path}`)
  }

  await t.test('an unknown name is 404 without a wildcard', async t => {
    for (const host of ['nope', 'tenant.web', 'a.b.api', 'queue'].map(name => `${name}.shop.localhost`)) {
      const got = await get(port, host)
      t.equal(got.status, 404, host)
      t.equal(got.header('x-locald'), 'unknown-host')
    }
    const got = JSON.parse((await get(port, 'ap.shop.localhost')).body)
    t.match(got.error, { message: 'Unknown host ap.shop.localhost', hint: 'Did you mean api.shop.localhost?' })
    t.match(JSON.parse((await get(port, 'tenant-7.shop.localhost')).body).error, {
      hint: /Set `wildcard = true` in \[project\]/,
    })
  })

  await t.test('an absolute target outranks the Host header', async t => {
    const text = await wire(t, port)
      .send('GET http://api.shop.localhost:9/p?q HTTP/1.1\r\nHost: shop.localhost\r\nConnection: close\r\n\r\n')
      .end()
    t.match(text, /api \/p\?q/)
  })

  await t.test('a route to a service that is not running is 503', async t => {
    const got = await get(port, 'shop.localhost', '/other/x')
    t.equal(got.status, 503)
    t.match(got.body, /Service shop:other is not running/)
    catalog.project('empty')
    const unowned = await get(port, 'empty.localhost', '/')
    t.equal(unowned.status, 404)
    t.match(unowned.body, /No service of empty serves empty.localhost/)
  })

  await t.test('changes apply at once, without a scan for each request', async t => {
    const scans = catalog.scans
    for (let i = 0; i < 20; i++) await get(port, 'shop.localhost')
    t.equal(catalog.scans, scans, 'no scan while nothing changes')
    catalog.emit({ event: 'step', key: 'shop:web', text: 'x' })
    await get(port, 'shop.localhost')
    t.equal(catalog.scans, scans, 'a step changes nothing')
    catalog.set('shop:web', at(api?.port ?? 0))
    t.match((await get(port, 'shop.localhost')).body, /^api/)
    t.equal(catalog.scans, scans + 1)
    catalog.remove('shop:api')
    t.match((await get(port, 'shop.localhost', '/api')).body, /Service shop:api is not running/)
  })

  await t.test('an invalid Host is 400', async t => {
    const heads = [
      'GET / HTTP/1.1\r\n\r\n',
      'GET / HTTP/1.0\r\n\r\n',
      'GET / HTTP/1.1\r\nHost: \r\n\r\n',
      'GET / HTTP/1.1\r\nHost: a b\r\n\r\n',
      'GET / HTTP/1.1\r\nHost: shop.localhost/\r\n\r\n',
      'GET / HTTP/1.1\r\nHost: a..localhost\r\n\r\n',
      'GET / HTTP/1.1\r\nHost: shop.localhost:99999\r\n\r\n',
      'GET / HTTP/1.1\r\nHost: me@shop.localhost\r\n\r\n',
      'GET / HTTP/1.1\r\nHost: shöp.localhost\r\n\r\n',
      'GET / HTTP/1.1\r\nHost: shop.localhost\r\nHost: api.shop.localhost\r\n\r\n',
      'GET shop.localhost HTTP/1.1\r\nHost: shop.localhost\r\n\r\n',
      'GET * HTTP/1.1\r\nHost: shop.localhost\r\n\r\n',
    ]
    for (const head of heads) {
      const text = await wire(t, port).send(head).end()
      t.match(text, /^HTTP\/1.1 400 .*X-Locald: bad-request/s, head)
    }
    for (const version of ['2.0', '0.9']) {
      const text = await wire(t, port).send(`GET / HTTP/${version}\r\nHost: shop.localhost\r\n\r\n`).end()
      t.match(text, /^HTTP\/1.1 505 .*Connection: close/s, version)
    }
  })
})
