import { generateKeyPairSync, type KeyObject, X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:https'
import { join } from 'node:path'
import { connect as tlsConnect } from 'node:tls'
import { execa } from 'execa'
import t, { type Test } from 'tap'
import { type Authority, openAuthority } from '../../../plugins/https/ca/authority.ts'
import { leafCertificate, pem } from '../../../plugins/https/ca/x509.ts'
import { Trust } from '../../../plugins/https/trust/trust.ts'
import { day, domains, machineAt, programOf } from './harness.ts'

/** The environment without what tap adds for its own children. */
const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(NODE_OPTIONS|_?TAP)/.test(name)))

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

/** Runs each client: it connects to 127.0.0.1:port and to trust `ca`; resolves with whether it got the answer. */
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

t.test("clients accept names and addresses within the CA's constraints only", { timeout: 240_000 }, async t => {
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

  await t.test('clients reject addresses of other machines and a CA below it', async t => {
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
