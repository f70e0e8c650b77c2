import { once } from 'node:events'
import { createServer } from 'node:http'
import { createServer as createTls } from 'node:https'
import { createServer as createPlain, type Server } from 'node:net'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { findFault, type Unreached } from '../../../../kernel/services/failure/unreachable.ts'
import { httpProbe, speaksTls } from '../../../../kernel/services/health/probes.ts'
import { openAuthority } from '../../../../plugins/https/ca/authority.ts'
import { LeafCertificates } from '../../../../plugins/https/ca/leaf-certificates.ts'

async function portOf(t: Test, server: Server): Promise<number> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  const address = server.address()
  return typeof address === 'object' && address !== null ? address.port : 0
}

function certificate(t: Test): { key: string; cert: string } {
  return new LeafCertificates(openAuthority(join(t.testdir(), 'ca'), ['localhost']), ['localhost']).own()
}

t.test('explains why a service is unreachable', async t => {
  const secure = createTls(certificate(t), (_, response) => response.end('over tls'))
  const [tls, plain, silent, closing] = await Promise.all([
    portOf(t, secure),
    portOf(
      t,
      createServer((_, response) => response.end('plain')),
    ),
    portOf(t, createPlain()),
    portOf(
      t,
      createPlain(socket => socket.on('error', () => undefined).destroy()),
    ),
  ])

  await t.test('recognizes TLS', async t => {
    t.equal(await speaksTls(tls, 5_000), true)
    t.equal(await speaksTls(plain, 5_000), false)
    t.equal(await speaksTls(silent, 50), undefined)
    t.equal(await speaksTls(closing, 5_000), undefined)
  })

  await t.test('an HTTP check over TLS, and one that meets it', async t => {
    const target = { path: '/', host: undefined }
    t.match(await httpProbe({ ...target, port: tls, tls: true }, 5_000), { ok: true, detail: 'GET / answered 200' })
    t.match(await httpProbe({ ...target, port: tls, tls: false }, 5_000), { ok: false, isStrange: true })
    t.match(await httpProbe({ ...target, port: plain, tls: true }, 5_000), { ok: false, isStrange: true })
    t.match(await httpProbe({ ...target, port: plain, tls: false }, 5_000), { ok: true })
  })

  await t.test('reports it with a hint', async t => {
    const found = async (service: Partial<Unreached>, mayBeTls = true) =>
      (await findFault({ name: 'web', port: tls, protocol: undefined, listeners: [], ...service }, mayBeTls))?.message
    const at = (address: string, port = tls) => ({ listeners: [{ pid: 1, address, port }] })
    t.equal(await found({}), 'web speaks TLS: set `protocol = "https"`')
    t.equal(await found({}, false), undefined, 'a handshake is for what may be TLS only')
    t.equal(await found({ protocol: 'https' }), undefined)
    t.equal(await found({ protocol: 'h2c' }), undefined)
    t.equal(await found({ port: plain }), undefined)
    t.equal(
      await found({ port: plain, protocol: 'https' }),
      'web does not speak TLS, but has `protocol = "https"`',
      'nor is what was written believed',
    )
    t.equal(await found({ ...at('127.0.0.1', 4000) }), `web listens on port 4000, not on $PORT (${tls})`)
    for (const address of ['127.0.0.2', '192.168.1.5'])
      t.equal(await found(at(address)), `web listens on ${address}:${tls}, not on 127.0.0.1 or [::1]`)
    t.equal(await found(at('fe80::1')), `web listens on [fe80::1]:${tls}, not on 127.0.0.1 or [::1]`)
    for (const address of ['127.0.0.1', '0.0.0.0', '::', '::1', '*', '::ffff:127.0.0.1'])
      t.equal(await found(at(address), false), undefined, address)
  })
})
