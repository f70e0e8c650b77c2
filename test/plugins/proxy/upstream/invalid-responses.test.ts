import t from 'tap'
import { boot } from '../lib/boot.ts'
import { get } from '../lib/client.ts'
import { at, raw, scripted } from '../lib/services.ts'

t.test('responses that violate the grammar', async t => {
  const { port, catalog } = await boot(t, { limits: { upstreamIdle: 150, grace: 100 } })

  await t.test('are accepted where nginx, haproxy and browsers accept them', async t => {
    const cases: [what: string, head: string, body: string][] = [
      ['lines that end in LF', 'HTTP/1.1 200 OK\nX: a\nContent-Length: 2\n\n', 'ok'],
      ['to the end of the connection', 'HTTP/1.0 200 OK\nX: a\n\n', 'ok'],
      ['a line that goes on', 'HTTP/1.1 200 OK\r\nX:\r\n\t a\r\nContent-Length: 2\r\n\r\n', 'ok'],
      [
        'a length twice',
        'HTTP/1.1 200 OK\r\nX: a\r\nContent-Length: 2\r\ncontent-length: 2\r\n\r\n',
        'okHTTP/1.1 200 OK',
      ],
      ['a list of lengths', 'HTTP/1.1 200 OK\r\nX: a\r\nContent-Length: 2, 2\r\n\r\n', 'okHTTP/1.1 200 OK'],
      ['chunks and a length', 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX: a\r\nTransfer-Encoding: chunked\r\n\r\n', ''],
      ['a tab', 'HTTP/1.1 200 OK\r\nX: a\r\nTransfer-Encoding: chunked\t\r\n\r\n', ''],
      ['a list of one', 'HTTP/1.1 200 OK\r\nX: a\r\nTransfer-Encoding: , chunked,\r\n\r\n', ''],
    ]
    for (const [what, head, body] of cases) {
      let connections = 0
      const service = await raw(t, socket => {
        connections++
        socket.on('data', () => {
          // In two pieces, and kept open where the body is framed.
          socket.write(head.slice(0, 30))
          setImmediate(() => socket.write(`${head.slice(30)}${body === '' ? '2\r\nok\r\n0\r\n\r\n' : body}`))
          if (head.startsWith('HTTP/1.0')) setImmediate(() => socket.end())
        })
      })
      catalog.set('shop:web', at(service.port))
      for (const method of ['GET', 'POST', 'GET']) {
        const got = await get(port, 'shop.localhost', '/', { method, body: method === 'POST' ? 'x' : '' })
        t.match([got.status, got.body, got.header('x')], [200, 'ok', 'a'], `${method}, ${what}`)
        t.notOk(got.header('content-length') !== undefined && got.header('transfer-encoding') !== undefined, what)
      }
      t.equal(connections, 3, `${what}: no connection is reused`)
    }
  })

  await t.test('are 502 otherwise', async t => {
    const cases: [answer: string, message: RegExp][] = [
      ['SSH-2.0-OpenSSH\r\n', /that is not HTTP/],
      ['', /without a response/],
      [`HTTP/1.1 200 OK\r\nX: ${'x'.repeat(70_000)}\r\n\r\n`, /head that is too large/],
      ['HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n', /transfer coding/],
      ['HTTP/1.1 200 OK\nTransfer-Encoding: chunked, chunked\n\n0\r\n\r\n', /transfer coding/],
      ['HTTP/1.1 200 OK\r\nTransfer-Encoding:\tidentity\r\n\r\nab', /transfer coding|that is not HTTP/],
      ['HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n', /that is not HTTP/],
      ['HTTP/1.1 200 OK\r\nContent-Length: 1, 2\r\n\r\nab', /that is not HTTP/],
      ['HTTP/1.1 200 OK\r\nX : a\r\n\r\n', /that is not HTTP/],
      ['HTTP/1.1 200 OK\r\nX: a\rY: b\r\n\r\n', /that is not HTTP/],
      ['HTTP/1.1 200 OK\r\n X: a\r\n\r\n', /that is not HTTP/],
      ['HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab', /that is not HTTP/],
      ['HTTP/1.1 200 O\x01K\r\nContent-Length: 0\r\n\r\n', /that is not HTTP/],
      ['HTTP/1.1 099 Low\r\nContent-Length: 0\r\n\r\n', /cannot be passed on|without a response|that is not HTTP/],
      ['HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n', /switched protocols/],
      ['HTTP/1.1 101 Switching Protocols\r\n\r\n', /switched protocols|without a response|that is not HTTP/],
    ]
    for (const [answer, message] of cases) {
      const service = await scripted(t, answer)
      catalog.set('shop:web', at(service.port))
      for (const method of ['GET', 'POST']) {
        const got = await get(port, 'shop.localhost', '/', { method, body: method === 'POST' ? 'x' : '' })
        t.equal(got.status, 502)
        t.match(got.body, message, JSON.stringify(answer.slice(0, 60)))
      }
    }
  })
})
