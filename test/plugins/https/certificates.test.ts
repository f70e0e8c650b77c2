import { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:https'
import { join } from 'node:path'
import { createSecureContext, connect as tlsConnect } from 'node:tls'
import t from 'tap'
import { findKeyProblem, openAuthority, retiredRoots } from '../../../plugins/https/ca/authority.ts'
import { constrainDomains, isUnder } from '../../../plugins/https/ca/domains.ts'
import { LeafCertificates } from '../../../plugins/https/ca/leaf-certificates.ts'
import httpsPlugin from '../../../plugins/https/index.ts'
import { day, domains } from './harness.ts'

t.test('has its name and API', async t => {
  t.match(httpsPlugin, { name: 'https', api: 1 })
})

t.test('accepts names below its domains only', async t => {
  t.strictSame(constrainDomains([]), domains)
  t.strictSame(constrainDomains(['*.Dev.Example.com', 'localhost']), ['dev.example.com', ...domains])
  t.match(constrainDomains(['internal']), /top-level domain/)
  t.match(constrainDomains(['com']), /top-level domain/)
  t.match(constrainDomains(['a b']), /not a domain name/)
  for (const name of ['localhost', 'shop.localhost', 'a.b.c.test', 'x_y.test']) t.ok(isUnder(name, domains), name)
  for (const name of [
    'example.com',
    'vault.corp.internal',
    'xlocalhost',
    'localhost.com',
    '.localhost',
    'a..test',
    '*.test',
    '127.0.0.1',
    '',
  ]) {
    t.notOk(isUnder(name, domains), name)
  }
  t.notOk(isUnder(`${'a'.repeat(64)}.test`, domains), 'a label of 64 characters')
  t.notOk(isUnder(`${'a.'.repeat(125)}test`, domains), 'a name of 254 characters')
})

t.test('creates, reuses and replaces the authority', async t => {
  const folder = join(t.testdir(), 'ca')
  const first = openAuthority(folder, domains)
  t.equal(statSync(join(folder, 'root.key')).mode & 0o777, 0o600)
  t.equal(statSync(folder).mode & 0o777, 0o700)
  t.equal(findKeyProblem(folder), undefined)
  t.equal(openAuthority(folder, domains).certificate.fingerprint256, first.certificate.fingerprint256, 'is kept')
  const wider = openAuthority(folder, [...domains, 'dev.example.com'])
  t.not(wider.certificate.fingerprint256, first.certificate.fingerprint256, 'is another one for other domains')
  t.strictSame(
    retiredRoots(folder).map(root => root.certificate.fingerprint256),
    [first.certificate.fingerprint256],
    'the old one is remembered without its key',
  )
  const later = openAuthority(folder, [...domains, 'dev.example.com'], Date.now() + 3600 * day)
  t.not(later.certificate.fingerprint256, wider.certificate.fingerprint256, 'is replaced before it expires')
  writeFileSync(join(folder, 'root.key'), 'broken')
  const again = openAuthority(folder, domains)
  t.ok(again.certificate.checkPrivateKey(again.issuer.key), 'is replaced when its key is broken')
})

t.test('certificates are made on demand and renewed', async t => {
  let now = Date.now()
  const authority = openAuthority(join(t.testdir(), 'ca'), domains)
  const made = new LeafCertificates(authority, domains, { maxLeaves: 3, now: () => now })
  t.ok(made.covers('Shop.LOCALHOST'))
  const first = made.context('shop.localhost')
  t.equal(made.context('SHOP.localhost'), first, 'one for each name')
  t.equal(made.context('example.com'), undefined)
  t.equal(made.context('bad name.localhost'), undefined)
  t.match(
    new X509Certificate(made.own().cert).subjectAltName,
    'DNS:localhost, IP Address:127.0.0.1',
    'no name: this machine',
  )
  made.context('a.localhost')
  t.equal(made.context('shop.localhost'), first)
  made.context('b.localhost')
  made.context('c.localhost')
  made.context('d.localhost')
  t.not(made.context('shop.localhost'), first, 'the least recently used is dropped')
  const old = made.context('d.localhost')
  now += 59 * day
  t.equal(made.context('d.localhost'), old)
  now += 2 * day
  t.not(made.context('d.localhost'), old, 'renewed before it expires')
})

t.test('makes certificates for 64 new names at once', async t => {
  const certificates = new LeafCertificates(openAuthority(join(t.testdir(), 'ca'), domains), domains)
  const serials = new Set<string>()
  const server = createServer(
    {
      SNICallback: (name, done) => done(null, certificates.context(name)),
    },
    (_req, res) => void res.end('x'),
  )
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => void server.close())
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  const context = createSecureContext({ ca: readFileSync(certificates.caFile) })
  const asked = Array.from({ length: 64 }, async (_, i) => {
    const servername = `n${i}.shop.localhost`
    const socket = tlsConnect({ host: '127.0.0.1', port, servername, secureContext: context })
    await once(socket, 'secureConnect')
    serials.add(socket.getPeerCertificate().serialNumber)
    socket.destroy()
  })
  await Promise.all(asked)
  t.equal(serials.size, 64, 'each has a serial of its own')
})
