import { once } from 'node:events'
import net from 'node:net'
import { connect as tlsConnect } from 'node:tls'
import t from 'tap'
import { boot, type Running } from '../lib/boot.ts'
import { get, textOf } from '../lib/client.ts'
import { at, serve } from '../lib/services.ts'
import { deadline } from '../lib/wait.ts'

function warnings(run: Running): number {
  return run.log.filter(line => line.startsWith('warn')).length
}

t.test('TLS of the proxy', async t => {
  const run = await boot(t, { https: true, limits: { headTimeout: 300 } })
  const service = await serve(t, (_req, res) => res.end('fine'))
  run.catalog.set('shop:web', at(service.port))
  const shake = (servername: string, more = {}): Promise<string> =>
    new Promise(resolve => {
      const options = {
        host: '127.0.0.1',
        port: run.securePort,
        ca: run.ca,
        servername,
        rejectUnauthorized: false,
        ...more,
      }
      const socket = tlsConnect(options)
      socket.once('error', () => resolve('refused'))
      socket.once('secureConnect', () => {
        resolve(socket.getPeerCertificate().subjectaltname ?? 'no name')
        socket.destroy()
      })
    })

  await t.test('selects the certificate by name', async t => {
    t.equal(await shake('shop.localhost'), 'DNS:shop.localhost')
    t.equal(await shake(''), 'DNS:localhost, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1')
    for (const name of [
      'example.com',
      'a..localhost',
      '*.localhost',
      `${'a'.repeat(64)}.localhost`,
      'shop.localhost.evil.com',
    ]) {
      t.equal(await shake(name), 'refused', name)
    }
    t.equal(await shake('shop.localhost', { maxVersion: 'TLSv1.2' }), 'DNS:shop.localhost')
    t.equal(
      await shake('shop.localhost', { maxVersion: 'TLSv1.1', minVersion: 'TLSv1', ciphers: 'ALL:@SECLEVEL=0' }),
      'refused',
    )
    t.ok(warnings(run) <= 2, `${warnings(run)} lines in the log`)
  })

  await t.test('sends an alert for a name without a certificate', async t => {
    for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
      const to = { host: '127.0.0.1', port: run.securePort, servername: 'example.com', maxVersion }
      const [error]: Error[] = await once(tlsConnect(to), 'error', { signal: AbortSignal.timeout(deadline) })
      t.match(error?.message, /unrecognized name/i, maxVersion)
    }
  })

  await t.test('redirects plain HTTP on its port', async t => {
    const authority = `shop.localhost:${run.securePort}`
    const got = await get(run.securePort, authority, '/a?b', { headers: { accept: 'text/html' } })
    t.match([got.status, got.header('location')], [307, `https://${authority}/a?b`], 'is redirected to HTTPS')
    t.match(got.body, 'This port accepts only TLS')
    const post = await get(run.securePort, authority, '/a', { method: 'POST', body: Buffer.alloc(3_000_000) })
    t.match([post.status, post.header('location')], [307, `https://${authority}/a`], 'also with a body')
    const upgrade = { connection: 'Upgrade', upgrade: 'websocket', 'sec-websocket-key': 'x' }
    const socket = await get(run.securePort, authority, '/hmr?token=1', { headers: upgrade })
    t.equal(socket.status, 400, 'a WebSocket cannot be')
    t.match(JSON.parse(socket.body).error.hint, `Use wss://${authority}/hmr.`)
    t.equal((await get(run.securePort, 'a b')).status, 400)
    const half = net.connect({ host: '127.0.0.1', port: run.securePort, allowHalfOpen: true })
    half.end('GET / HTTP/1.0\r\nHost: shop.localhost\r\n\r\n')
    t.match(await textOf(half), /^HTTP\/1.1 307 .*Location: https:\/\/shop.localhost\/\r\n/s)
  })

  await t.test('closes connections of clients that leave during the handshake', async t => {
    const { securePort } = await boot(t, { https: true })
    const leaving = net.connect(securePort, '127.0.0.1')
    leaving.end()
    // Its timeout is longer than this test waits.
    await once(leaving.resume(), 'close', { signal: AbortSignal.timeout(deadline) })
    t.pass('are not held')
  })

  await t.test('disconnects clients that stay silent or renegotiate', async t => {
    const silent = net.connect(run.securePort, '127.0.0.1')
    silent.on('error', () => undefined)
    await once(silent.resume(), 'close')
    t.pass('a handshake that never comes is not waited for')
    const socket = tlsConnect({
      ...{ host: '127.0.0.1', port: run.securePort, ca: run.ca, servername: 'shop.localhost', maxVersion: 'TLSv1.2' },
    })
    await once(socket, 'secureConnect')
    // The proxy resets it when it stops, if not before.
    socket.on('error', () => undefined)
    const closed = await new Promise<string>(resolve => {
      socket.once('error', error => resolve(error.message))
      socket.once('close', () => resolve('closed'))
      socket.renegotiate({ rejectUnauthorized: true }, error => resolve(error === null ? 'taken' : error.message))
    })
    t.not(closed, 'taken', closed)
  })
})
