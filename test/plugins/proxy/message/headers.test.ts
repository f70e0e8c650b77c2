import t from 'tap'
import { boot } from '../lib/boot.ts'
import { Wire, wire } from '../lib/client.ts'
import { at, scripted } from '../lib/services.ts'

t.test('headers of requests and responses', async t => {
  const { port, catalog } = await boot(t)

  await t.test('sets those that only the proxy may set, one at a time', async t => {
    const service = await scripted(t, 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n')
    catalog.set('shop:web', at(service.port))
    for (const name of [
      'X-Forwarded-For',
      'x_forwarded_for',
      'X-FORWARDED_Proto',
      'X_Locald_Hops',
      'Forwarded',
      'Proxy-X',
    ]) {
      const text = `GET / HTTP/1.1\r\nHost: shop.localhost\r\n${name}: 6.6.6.6\r\nX_Own: kept\r\nConnection: close\r\n\r\n`
      await wire(t, port).send(text).end()
      t.match(service.seen.at(-1), 'X_Own: kept')
      t.notMatch(service.seen.at(-1), '6.6.6.6', name)
    }
  })

  await t.test('forwards those of the request', async t => {
    const service = await scripted(t, 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n')
    catalog.set('shop:web', at(service.port))
    const head = [
      'GET /a%zz/../b|"^?q=%20#x HTTP/1.1',
      'hOsT: shop.localhost:8080',
      'X-B: 1',
      'x-a: caf\u00e9',
      'X-B: 2',
      'Cookie: a=b; c=d',
      'Cookie: e=f',
      'Connection: close, X-Secret , Host',
      'X-Secret: hop',
      'Keep-Alive: timeout=3',
      'Proxy-Authorization: Basic eDp5',
      'Proxy-Connection: keep-alive',
      'TE: trailers, deflate;q=0.5',
      'Trailer: X-T',
      'Upgrade-Insecure-Requests: 1',
      'X-Forwarded-For: 6.6.6.6',
      'x-forwarded-proto: https',
      'X-Forwarded-Host: evil',
      'X-Forwarded-Prefix: /evil',
      'X-Forwarded-Anything: evil',
      'Forwarded: for=6.6.6.6',
      'X_Forwarded_For: 6.6.6.6',
      'X-Locald-Hops: 2',
      'X-Empty:',
    ]
    await wire(t, port)
      .send(`${head.join('\r\n')}\r\n\r\n`)
      .end()
    const [first, ...lines] = (service.seen[0] ?? '').split('\r\n')
    t.equal(first, 'GET /a%zz/../b|"^?q=%20#x HTTP/1.1', 'the path as it was')
    t.strictSame(lines, [
      'hOsT: shop.localhost:8080',
      'X-B: 1',
      'x-a: caf\u00e9',
      'X-B: 2',
      'Cookie: a=b; c=d',
      'Cookie: e=f',
      'Upgrade-Insecure-Requests: 1',
      'X-Empty: ',
      'TE: trailers',
      'Connection: keep-alive, TE',
      'X-Forwarded-For: 127.0.0.1',
      'X-Forwarded-Proto: http',
      'X-Forwarded-Host: shop.localhost:8080',
      `X-Forwarded-Port: ${port}`,
      'Forwarded: for=127.0.0.1;host="shop.localhost:8080";proto=http',
      'X-Locald-Hops: 3',
      '',
      '',
    ])
  })

  await t.test('names a client on ::1', async t => {
    const service = await scripted(t, 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n')
    catalog.set('shop:web', at(service.port))
    const client = new Wire(port, '::1')
    t.teardown(() => client.socket.destroy())
    await client.send('GET / HTTP/1.1\r\nHost: shop.localhost\r\nConnection: close\r\n\r\n').end()
    t.match(service.seen[0], 'X-Forwarded-For: ::1\r\n')
    t.match(service.seen[0], 'Forwarded: for="[::1]";host="shop.localhost";proto=http\r\n')
  })

  await t.test('forwards those of the response', async t => {
    const lines = [
      'HTTP/1.1 299 Quite fine',
      'set-Cookie: a=1',
      'Set-Cookie: b=2; Expires=Wed, 21 Oct 2015 07:28:00 GMT',
      'Set-Cookie: c=3',
      'X-Latin: caf\u00e9',
      'Date: Thu, 01 Jan 1970 00:00:00 GMT',
      'Connection: close, x-hop',
      'X-Hop: 1',
      'Keep-Alive: timeout=1',
      'Proxy-Authenticate: Basic',
      'Upgrade: foo',
      'Trailer: X-T',
      'Content-Length: 2',
    ]
    const service = await scripted(t, `${lines.join('\r\n')}\r\n\r\nok`)
    catalog.set('shop:web', at(service.port))
    const text = await wire(t, port).send('GET / HTTP/1.1\r\nHost: shop.localhost\r\nConnection: close\r\n\r\n').end()
    t.strictSame(text.split('\r\n'), [
      'HTTP/1.1 299 Quite fine',
      'set-Cookie: a=1',
      'Set-Cookie: b=2; Expires=Wed, 21 Oct 2015 07:28:00 GMT',
      'Set-Cookie: c=3',
      'X-Latin: caf\u00e9',
      'Date: Thu, 01 Jan 1970 00:00:00 GMT',
      'Content-Length: 2',
      'Connection: close',
      '',
      'ok',
    ])
  })
})
