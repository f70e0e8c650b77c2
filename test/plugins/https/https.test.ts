import { generateKeyPairSync, type KeyObject, X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:https'
import { delimiter, join } from 'node:path'
import { createSecureContext, connect as tlsConnect } from 'node:tls'
import { execa } from 'execa'
import t, { type Test } from 'tap'
import {
  type Authority,
  findKeyProblem,
  openAuthority,
  readRoot,
  retiredRoots,
} from '../../../plugins/https/ca/authority.ts'
import { constrainDomains, isUnder } from '../../../plugins/https/ca/domains.ts'
import { LeafCertificates } from '../../../plugins/https/ca/leaf-certificates.ts'
import { leafCertificate, pem } from '../../../plugins/https/ca/x509.ts'
import httpsPlugin from '../../../plugins/https/index.ts'
import type { Machine } from '../../../plugins/https/trust/programs.ts'
import { Trust } from '../../../plugins/https/trust/trust.ts'

const domains = ['localhost', 'test']
const day = 86_400_000

/** The environment without what tap adds for its own children. */
const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(NODE_OPTIONS|_?TAP)/.test(name)))

function programOf(name: string): string | undefined {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin']
  return folders.map(folder => join(folder, name)).find(file => existsSync(file))
}

t.test('what it is', async t => {
  t.match(httpsPlugin, { name: 'https', api: 1 })
})

t.test('names', async t => {
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

t.test('the authority', async t => {
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
  t.not(later.certificate.fingerprint256, wider.certificate.fingerprint256, 'is replaced before it ends')
  writeFileSync(join(folder, 'root.key'), 'broken')
  const again = openAuthority(folder, domains)
  t.ok(again.certificate.checkPrivateKey(again.issuer.key), 'is made anew where its key is broken')
})

t.test('certificates', async t => {
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
  t.not(made.context('d.localhost'), old, 'renewed before it ends')
})

/** A server that presents the given leaf whatever is asked for. */
async function serverWith(t: Test, cert: string, key: string): Promise<Server & { port: number }> {
  const server = createServer({ cert, key }, (req, res) => void res.end(`reached ${req.headers.host}`))
  server.on('tlsClientError', () => undefined)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.closeAllConnections())
  t.teardown(() => void server.close())
  const address = server.address()
  if (typeof address !== 'object' || address === null) throw new Error('not listening')
  return Object.assign(server, { port: address.port })
}

interface Case {
  readonly title: string
  /** What the client asks for. */
  readonly host: string
  readonly good: boolean
  /** What the certificate says. */
  readonly names: { readonly dns: readonly string[]; readonly ip?: readonly Buffer[] }
}

const cases: readonly Case[] = [
  { title: 'a name below localhost', host: 'app.shop.localhost', good: true, names: { dns: ['app.shop.localhost'] } },
  { title: 'a name below test', host: 'app.test', good: true, names: { dns: ['app.test'] } },
  { title: 'this machine', host: '127.0.0.1', good: true, names: { dns: [], ip: [Buffer.of(127, 0, 0, 1)] } },
  { title: 'a domain of a user', host: 'shop.dev.acme.org', good: true, names: { dns: ['shop.dev.acme.org'] } },
  { title: 'a name of somebody else', host: 'example.com', good: false, names: { dns: ['example.com'] } },
  { title: 'one among allowed ones', host: 'example.com', good: false, names: { dns: ['a.localhost', 'example.com'] } },
  { title: 'a wildcard', host: 'www.example.com', good: false, names: { dns: ['*.example.com'] } },
]

/** How each client is told to connect to 127.0.0.1:port and to trust `ca`; resolves with whether it got the answer. */
const clients: Readonly<
  Record<string, { needs: string; get(host: string, port: number, ca: string): Promise<boolean> }>
> = {
  node: {
    needs: 'node',
    get: (host, port, ca) =>
      new Promise(resolve => {
        const name = /^[\d.]+$/.test(host) ? {} : { servername: host }
        const socket = tlsConnect({ host: '127.0.0.1', port, ca: readFileSync(ca), ...name })
        socket.once('secureConnect', () => resolve(true))
        socket.once('error', () => resolve(false))
        socket.once('secureConnect', () => socket.destroy())
      }),
  },
  openssl: {
    needs: 'openssl',
    get: async (host, port, ca) => {
      const verify = /^[\d.]+$/.test(host) ? ['-verify_ip', host] : ['-verify_hostname', host, '-servername', host]
      const args = ['s_client', '-connect', `127.0.0.1:${port}`, '-CAfile', ca, '-verify_return_error', ...verify]
      return (await execa('openssl', args, { reject: false, input: '', env, extendEnv: false })).exitCode === 0
    },
  },
  curl: {
    needs: 'curl',
    get: async (host, port, ca) => {
      const to = ['--connect-to', `${host}:${port}:127.0.0.1:${port}`, '--cacert', ca, '-sS', '-m', '10']
      const { stdout } = await execa('curl', [...to, `https://${host}:${port}/`], { reject: false })
      return stdout.startsWith('reached')
    },
  },
  gnutls: {
    needs: 'gnutls-cli',
    get: async (host, port, ca) => {
      const name = /^[\d.]+$/.test(host) ? [] : [`--sni-hostname=${host}`, `--verify-hostname=${host}`]
      const args = [`--x509cafile=${ca}`, ...name, '-p', String(port), '127.0.0.1']
      return (await execa('gnutls-cli', args, { reject: false, input: '' })).exitCode === 0
    },
  },
  python: {
    needs: 'python3',
    get: async (host, port, ca) => {
      const code = `import socket,ssl,sys
ssl.create_default_context(cafile=sys.argv[3]).wrap_socket(socket.create_connection(('127.0.0.1',int(sys.argv[2]))),server_hostname=sys.argv[1])`
      return (await execa('python3', ['-c', code, host, String(port), ca], { reject: false })).exitCode === 0
    },
  },
  chromium: {
    needs: 'chromium',
    get: async (host, port, ca) => {
      const home = join(ca, '..', '..', `home-${host.length}`)
      await trustIn(home, ca)
      const args = ['--headless=new', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--dump-dom']
      const rules = `--host-resolver-rules=MAP ${host} 127.0.0.1`
      const url = `https://${host}:${port}/`
      const options = { reject: false, timeout: 60_000, env: { ...env, HOME: home }, extendEnv: false }
      const { stdout } = await execa('chromium', [...args, `--user-data-dir=${home}/c`, rules, url], options)
      return stdout.includes('reached')
    },
  },
}

/** Trusts the CA in the NSS database of a home folder, as `locald trust` does. */
async function trustIn(home: string, ca: string): Promise<void> {
  mkdirSync(join(home, '.config/chromium'), { recursive: true })
  const trust = new Trust(machineAt(home), join(ca, '..'))
  await trust.trust()
}

function machineAt(home: string, more: Partial<Machine> = {}): Machine {
  // Nothing of this machine's own store is touched.
  return { os: 'linux', uid: 1000, root: home, home, path: process.env['PATH'] ?? '', native: home, ...more }
}

t.test('what the CA may and may not vouch for', { timeout: 240_000 }, async t => {
  const folder = join(t.testdir(), 'ca')
  const authority = openAuthority(folder, ['dev.acme.org', ...domains])
  const key = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey
  const keyPem = key.export({ type: 'pkcs8', format: 'pem' }).toString()
  for (const { title, host, good, names } of cases) {
    await t.test(title, async t => {
      const server = await serverWith(t, pem(leaf(authority, key, names)), keyPem)
      for (const [name, client] of Object.entries(clients)) {
        if (programOf(client.needs) === undefined) t.pass(name, { skip: `${client.needs} is not installed` })
        // One page of a kind is enough of a browser: it takes seconds.
        else if (name !== 'chromium' || host === 'app.shop.localhost' || names.dns[0] === 'example.com') {
          t.equal(await client.get(host, server.port, authority.file), good, name)
        }
      }
    })
  }

  await t.test('an address that is not of this machine, and a CA below it', async t => {
    const stranger = leaf(authority, key, { dns: [], ip: [Buffer.of(10, 0, 0, 1)] })
    const verify = async (file: string, untrusted: readonly string[] = []) => {
      const args = ['verify', '-CAfile', authority.file, ...untrusted, '-purpose', 'sslserver', file]
      return (await execa('openssl', args, { reject: false })).exitCode
    }
    writeFileSync(join(folder, 'stranger.pem'), pem(stranger))
    t.not(await verify(join(folder, 'stranger.pem')), 0)
    writeFileSync(join(folder, 'fine.pem'), pem(leaf(authority, key, { dns: ['a.test'] })))
    t.equal(await verify(join(folder, 'fine.pem')), 0)
    const issued = new X509Certificate(leaf(authority, key, { dns: ['a.test'] }))
    t.ok(Date.parse(issued.validTo) - Date.parse(issued.validFrom) < 397 * day, 'below the limit of browsers')
    t.notOk(issued.ca)
    const other = { name: authority.issuer.name, key }
    writeFileSync(join(folder, 'self.pem'), pem(leafCertificate(other, key, { dns: ['a.test'] }, validity())))
    t.not(await verify(join(folder, 'self.pem')), 0, 'one signed with another key')
  })
})

function leaf(authority: Authority, key: KeyObject, names: Case['names']): Buffer {
  return leafCertificate(authority.issuer, key, names, validity())
}

function validity() {
  return { from: Date.now() - 3_600_000, to: Date.now() + 90 * day }
}

t.test('64 new names at once', async t => {
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

t.test('the stores', async t => {
  await t.test('of distributions', async t => {
    const families = [
      ['debian', '/usr/local/share/ca-certificates', 'update-ca-certificates', '/etc/ssl/certs/ca-certificates.crt'],
      ['fedora', '/etc/pki/ca-trust/source/anchors', 'update-ca-trust', '/etc/pki/tls/certs/ca-bundle.crt'],
      [
        'arch',
        '/etc/ca-certificates/trust-source/anchors',
        'update-ca-trust',
        '/etc/ca-certificates/extracted/tls-ca-bundle.pem',
      ],
      ['opensuse', '/etc/pki/trust/anchors', 'update-ca-certificates', '/etc/ssl/ca-bundle.pem'],
    ] as const
    for (const [name, anchors, program, bundle] of families) {
      const root = t.testdir({ bin: {} })
      const folder = join(root, 'ca')
      openAuthority(folder, domains)
      for (const made of [anchors, join(bundle, '..')]) mkdirSync(join(root, made), { recursive: true })
      writeFileSync(join(root, bundle), '')
      // The distribution's tool, as far as it matters here: it makes the bundle of the anchors.
      const script = `#!/bin/sh\ncat '${root}${anchors}'/* > '${root}${bundle}' 2>/dev/null || : > '${root}${bundle}'\n`
      writeFileSync(join(root, 'bin', program), script, { mode: 0o755 })
      const machine = {
        root,
        home: join(root, 'home'),
        path: `${join(root, 'bin')}${delimiter}/bin${delimiter}/usr/bin`,
      }
      // Root has no way of its own: what locald puts there would get into Java's store.
      for (const uid of [0, 1000]) {
        const refused = await new Trust(machineAt(root, { ...machine, uid }), folder).trust()
        t.equal(refused.exitCode, 1, name)
        const byHand = `Java programs would trust the CA for any site[^]*sudo install -m 0644 ${folder}/root.pem ${root}${anchors}/locald-[^]*&& sudo ${program}`
        t.match(refused.text, name === 'debian' ? /sudo locald admin setup && locald trust/ : new RegExp(byHand))
      }
      const user = new Trust(machineAt(root, machine), folder)
      t.match(await user.checkStores('system'), { status: 'warn', fix: 'Run `locald trust`.' })
      const anchor = join(
        root,
        anchors,
        `locald-${readRoot(folder)?.id}${/fedora|opensuse/.test(name) ? '.pem' : '.crt'}`,
      )
      copyFileSync(join(folder, 'root.pem'), anchor)
      await execa(join(root, 'bin', program))
      t.match(await user.checkStores('system'), { status: 'pass' })
      t.match(await user.trust(), { exitCode: 0 }, 'nothing is left to do')
      t.match(await user.untrust(), { exitCode: 1, text: /sudo rm -f / })
      const idle = { trust: async () => {}, untrust: async () => {} }
      const said = await new Trust(machineAt(root, machine), folder, () => idle).untrust()
      t.match(said, { exitCode: 1, text: /added by hand/ }, 'the helper has done nothing')
      rmSync(anchor)
      await execa(join(root, 'bin', program))
      t.match(await user.untrust(), { exitCode: 0 })
    }
  })

  await t.test('by the privileged helper', async t => {
    const root = t.testdir({ bin: {}, etc: { ssl: { certs: { 'ca-certificates.crt': '' } } }, usr: { local: {} } })
    const folder = join(root, 'ca')
    const bundle = join(root, 'etc/ssl/certs/ca-certificates.crt')
    mkdirSync(join(root, 'usr/local/share/ca-certificates'), { recursive: true })
    writeFileSync(join(root, 'bin/update-ca-certificates'), '#!/bin/sh\nexit 1\n', { mode: 0o755 })
    const text = () => readFileSync(bundle, 'utf8')
    const helper = {
      trust: async (pem: string) => writeFileSync(bundle, text() + pem),
      untrust: async (pem: string) => writeFileSync(bundle, text().replace(pem, '')),
    }
    openAuthority(folder, domains)
    const trust = new Trust(machineAt(root, { path: join(root, 'bin') }), folder, () => helper)
    t.match(await trust.trust(), { exitCode: 0 })
    t.match(await trust.checkStores('system'), { status: 'pass' })
    openAuthority(folder, [...domains, 'dev.example.com'])
    t.match(await trust.checkStores('system'), { status: 'warn' }, 'a new root is not trusted yet')
    t.match(await trust.trust(), { exitCode: 0 })
    t.equal(text().match(/BEGIN/g)?.length, 1, 'and takes the place of the old one')
    t.match(await trust.untrust(), { exitCode: 0 })
    t.equal(text(), '')
    t.strictSame(retiredRoots(folder), [])
  })

  await t.test('of browsers', async t => {
    const home = t.testdir({ '.config': { chromium: {} }, '.mozilla': { firefox: { 'a.default': {} } } })
    const folder = join(home, 'ca')
    openAuthority(folder, domains)
    const without = new Trust(machineAt(home, { path: '' }), folder)
    if (programOf('certutil')?.startsWith('/usr/sbin') !== true) {
      t.match(await without.checkStores('chromium'), { status: 'warn', fix: /libnss3-tools/ })
    }
    writeFileSync(join(folder, 'retired-0123456789abcdef.pem'), readFileSync(join(folder, 'root.pem')))
    const said = await new Trust(machineAt(home, { path: join(home, 'none') }), folder).trust()
    if (!existsSync('/usr/sbin/certutil')) t.equal(said.text.match(/certutil is not installed/g)?.length, 1, said.text)
    rmSync(join(folder, 'retired-0123456789abcdef.pem'))
    if (programOf('certutil') === undefined) return void t.pass('', { skip: 'certutil is not installed' })
    await execa('certutil', ['-N', '-d', `sql:${home}/.mozilla/firefox/a.default`, '--empty-password'])
    const trust = new Trust(machineAt(home), folder)
    t.match(await trust.checkStores('chromium'), { status: 'warn', fix: 'Run `locald trust`.' })
    const { text } = await trust.trust()
    t.match(text, '✓ Chromium’s store')
    t.match(text, '✓ Firefox’s store')
    t.match(await trust.checkStores('chromium'), { status: 'pass' })
    t.match(await trust.checkStores('firefox'), { status: 'pass' })
    const root = readRoot(folder)
    const name = `locald-${root?.id}`
    await execa('certutil', ['-M', '-d', `sql:${home}/.pki/nssdb`, '-n', name, '-t', ',,'])
    t.match(await trust.checkStores('chromium'), { status: 'warn' }, 'one whose trust was taken away')
    await trust.untrust()
    t.match(await trust.checkStores('firefox'), { status: 'warn' })
    const list = await execa('certutil', ['-L', '-d', `sql:${home}/.pki/nssdb`])
    t.notMatch(list.stdout, 'locald-')
  })

  await t.test('before there is a CA, on a strange system, and on macOS', async t => {
    const home = t.testdir()
    const folder = join(home, 'ca')
    const trust = new Trust(machineAt(home), folder)
    t.match(await trust.trust(), { exitCode: 1, text: /There is no CA/ })
    t.match(await trust.untrust(), { exitCode: 1 })
    t.match(await trust.checkFiles(), { status: 'skip' })
    openAuthority(folder, domains)
    t.match(await trust.checkFiles(), { status: 'pass' })
    t.match(await trust.checkStores('system'), { status: 'warn', summary: /unsupported trust store layout/ })
    t.match(await trust.checkStores('firefox'), { status: 'skip' })
    const mac = new Trust(machineAt(home, { os: 'darwin' }), folder)
    t.match(await mac.trust(), { exitCode: 1, text: /locald-keychain is missing/ })
    t.match(await mac.checkStores('system'), { status: 'warn', summary: /missing/, fix: /Install locald again/ })
    const profile = join(home, 'Library', 'Application Support', 'Firefox', 'Profiles', 'a.default')
    mkdirSync(profile, { recursive: true })
    writeFileSync(join(profile, 'cert9.db'), '')
    const firefox = async () => new Trust(machineAt(home, { os: 'darwin', path: '' }), folder).checkStores('firefox')
    t.match(await firefox(), { status: 'skip', summary: /trusts what the keychain trusts.*brew install nss/ })
    for (const place of ['opt/homebrew/opt/nss/bin', 'usr/local/bin']) {
      mkdirSync(join(home, place), { recursive: true })
      writeFileSync(join(home, place, 'certutil'), '#!/bin/sh\nexit 1\n', { mode: 0o755 })
      t.match(await firefox(), { status: 'warn', summary: /^Firefox’s store/ }, `certutil in /${place}`)
      rmSync(join(home, place, 'certutil'))
    }
  })
})
