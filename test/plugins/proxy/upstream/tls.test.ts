import http2 from 'node:http2'
import https from 'node:https'
import { join } from 'node:path'
import { TLSSocket, connect as tlsConnect } from 'node:tls'
import t from 'tap'
import { openAuthority } from '../../../../plugins/https/ca/authority.ts'
import { LeafCertificates } from '../../../../plugins/https/ca/leaf-certificates.ts'
import { freePort } from '../../../lib/ports.ts'
import { boot } from '../lib/boot.ts'
import { get, textOf, wire } from '../lib/client.ts'
import { at, listening, serve } from '../lib/services.ts'

t.test('a service that speaks TLS', async t => {
  const { port, securePort, ca, catalog } = await boot(t, { https: true, limits: { grace: 50, reconnect: 50 } })
  const own = new LeafCertificates(openAuthority(join(t.testdir(), 'ca'), ['localhost']), ['localhost']).own()
  let connections = 0
  const service = await listening(
    t,
    https.createServer({ ...own, ALPNProtocols: ['http/1.1'] }, async (req, res) => {
      const { socket } = req
      const [sni, alpn] = socket instanceof TLSSocket ? [Reflect.get(socket, 'servername'), socket.alpnProtocol] : []
      const proto = req.headers['x-forwarded-proto']
      res.end(`${req.method} ${await textOf(req)} ${sni} ${alpn} ${req.headers.host} ${proto}`)
    }),
  )
  service.on('secureConnection', () => connections++)
  service.on('upgrade', (_, socket) => {
    socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n')
    socket.pipe(socket)
  })
  catalog.set('shop:web', { ...at(service.port), protocol: 'https' })
  const name = 'shop.localhost'

  await t.test('is reached over HTTP/1.1, with reused connections', async t => {
    for (const headers of [{}, {}, { te: 'trailers' }])
      t.equal((await get(port, name, '/', { headers })).body, `GET  ${name} http/1.1 ${name} http`)
    t.equal(connections, 1)
    t.equal(
      (await get(port, name, '/', { method: 'POST', body: 'x'.repeat(100_000) })).body,
      `POST ${'x'.repeat(100_000)} ${name} http/1.1 ${name} http`,
    )
    t.match((await get(port, `web.${name}`)).body, `GET  web.${name} http/1.1`, 'by the requested name')
  })

  await t.test('is reached over HTTP/2 and by WebSocket', async t => {
    const client = http2.connect(`https://${name}:${securePort}`, {
      createConnection: () =>
        tlsConnect({ host: '127.0.0.1', port: securePort, ca, servername: name, ALPNProtocols: ['h2'] }),
    })
    t.teardown(() => client.destroy())
    const stream = client.request({ ':path': '/' })
    t.equal(await textOf(stream), `GET  ${name} http/1.1 ${name}:${securePort} https`)
    const upgraded = wire(t, port).send(
      `GET / HTTP/1.1\r\nHost: ${name}\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\nearly`,
    )
    await upgraded.has('101 Switching Protocols')
    await upgraded.has('early')
    await upgraded.send(' later').has('early later')
  })

  await t.test('is named when its protocol is not configured', async t => {
    catalog.set('shop:web', { ...at(service.port), protocol: undefined })
    const fault = { message: 'web speaks TLS: set `protocol = "https"`', hint: 'Write `protocol = "https"`.' }
    catalog.faults.set('shop:web', fault)
    for (const method of ['GET', 'POST']) {
      catalog.set('shop:web', { fault: undefined })
      const got = await get(port, name, '/', { method, body: method === 'POST' ? 'x' : '' })
      t.match([got.status, JSON.parse(got.body).error], [502, fault])
    }
    catalog.faults.clear()
    catalog.set('shop:web', { protocol: 'https', fault: undefined })
    t.match((await get(port, name)).body, 'GET ')
  })

  await t.test('is an error when it stops speaking TLS or crashes', async t => {
    const plain = await serve(t, (_, res) => res.end('plain'))
    catalog.set('shop:web', { ...at(plain.port), protocol: 'https' })
    for (const headers of [{}, { te: 'trailers' }]) {
      const got = await get(port, name, '/', { headers })
      t.equal(got.status, 502)
      t.match(JSON.parse(got.body).error.message, /^shop:web /)
    }
    catalog.set('shop:web', at(await freePort()))
    t.equal((await get(port, name, '/', { method: 'POST', body: 'x' })).status, 502)
  })
})
