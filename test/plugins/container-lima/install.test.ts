import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { createServer, type RequestListener } from 'node:http'
import { connect } from 'node:net'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { create } from 'tar'
import { installRelease } from '../../../plugins/container-lima/install/install.ts'
import { type Release, releaseFor } from '../../../plugins/container-lima/install/release.ts'
import { freePort } from '../../lib/ports.ts'
import { until } from '../../lib/running.ts'
import { bootLima } from './harness.ts'

interface Server {
  readonly release: Release
  readonly archive: Buffer
  /** The Range header of each request. */
  readonly ranges: (string | undefined)[]
}

/** A release of a limactl that is a script, on a server that `respond` may replace. */
async function serve(
  t: Test,
  respond?: (archive: Buffer, count: number) => RequestListener | undefined,
): Promise<Server> {
  const folder = t.testdir()
  mkdirSync(join(folder, 'in', 'bin'), { recursive: true })
  mkdirSync(join(folder, 'in', 'share', 'lima'), { recursive: true })
  writeFileSync(join(folder, 'in', 'bin', 'limactl'), '#!/bin/sh\necho limactl version 2.2.0\n', { mode: 0o755 })
  writeFileSync(join(folder, 'in', 'share', 'lima', 'agent.gz'), Buffer.alloc(50_000, 'lima'))
  const file = join(folder, 'a.tar.gz')
  await create({ gzip: true, cwd: join(folder, 'in'), file, portable: true }, ['bin', 'share'])
  const archive = readFileSync(file)
  const ranges: (string | undefined)[] = []
  const server = createServer((request, response) => {
    ranges.push(request.headers.range)
    const other = respond?.(archive, ranges.length)
    if (other !== undefined) return other(request, response)
    const from = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0)
    response.writeHead(from > 0 ? 206 : 200).end(archive.subarray(from))
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => void server.close())
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  const sha256 = createHash('sha256').update(archive).digest('hex')
  return { archive, ranges, release: { version: '2.2.0', url: `http://127.0.0.1:${port}/lima-2.2.0.tar.gz`, sha256 } }
}

/** Where it is installed, beside an earlier version. */
function place(t: Test): string {
  const folder = join(t.testdirName, 'dist')
  mkdirSync(join(folder, '2.1.0', 'bin'), { recursive: true })
  return join(folder, '2.2.0')
}

t.test('installs a release whose hash is right, and removes the earlier one', async t => {
  const { release } = await serve(t)
  const folder = place(t)
  const program = await installRelease(release, folder)
  t.equal(program, join(folder, 'bin', 'limactl'))
  t.equal(statSync(program).mode & 0o777, 0o755)
  t.ok(existsSync(join(folder, 'share', 'lima', 'agent.gz')))
  t.strictSame(readdirSync(join(folder, '..')), ['2.2.0'])
  t.equal(await installRelease({ ...release, url: 'http://127.0.0.1:1/x' }, folder), program, 'once')
})

t.test('a file with another hash is neither unpacked nor kept', async t => {
  const { release } = await serve(t)
  const folder = place(t)
  const other = { ...release, sha256: 'a'.repeat(64) }
  await t.rejects(installRelease(other, folder), {
    code: 'STEP_FAILED',
    message: /^Lima 2\.2\.0 could not be downloaded from .*: the file does not match the SHA-256/,
    hint: /`locald vm install`/,
  })
  t.strictSame(readdirSync(join(folder, '..')), ['2.1.0'], 'the earlier version stays')
})

t.test('a download that breaks goes on where it stopped', async t => {
  const part = join(t.testdirName, 'dist', 'lima-2.2.0.tar.gz.part')
  const { release, ranges, archive } = await serve(t, (archive, count) => {
    if (count > 1) return undefined
    return (_, response) => {
      response.writeHead(200, { 'content-length': archive.length }).write(archive.subarray(0, archive.length / 2))
      const isWritten = () => existsSync(part) && statSync(part).size > 0
      void until('the first half on disk', isWritten).finally(() => response.socket?.end())
    }
  })
  const folder = place(t)
  await t.rejects(installRelease(release, folder), { code: 'STEP_FAILED', message: /could not be downloaded/ })
  t.notOk(existsSync(folder), 'nothing under the final name')
  await installRelease(release, folder)
  t.strictSame(ranges.length, 2)
  t.match(ranges[1], /^bytes=[1-9]\d*-$/)
  t.ok(archive.length > 0)
})

t.test('a server that refuses is named, with its status', async t => {
  const { release } = await serve(t, () => (_, response) => response.writeHead(404).end())
  await t.rejects(installRelease(release, place(t)), {
    code: 'STEP_FAILED',
    message: /127\.0\.0\.1:\d+ responded with 404/,
  })
  const closed = { ...release, url: `http://127.0.0.1:${await freePort()}/lima.tar.gz` }
  await t.rejects(installRelease(closed, place(t)), {
    code: 'STEP_FAILED',
    message: /ECONNREFUSED/,
    hint: /HTTPS_PROXY/,
  })
})

t.test('downloads through the proxy of the environment', async t => {
  const { release } = await serve(t)
  const through: string[] = []
  const proxy = createServer()
  proxy.on('connect', (request, socket, head) => {
    through.push(request.url ?? '')
    const [host = '', port = ''] = (request.url ?? '').split(':')
    const inside = connect(Number(port), host, () => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n')
      inside.write(head)
      inside.pipe(socket).pipe(inside)
    })
    for (const each of [socket, inside]) each.on('error', () => {})
  })
  proxy.on('request', (request, response) => {
    through.push(request.url ?? '')
    response.writeHead(502).end()
  })
  await new Promise<void>(resolve => proxy.listen(0, '127.0.0.1', resolve))
  t.teardown(() => void proxy.close())
  const address = proxy.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  const { HTTP_PROXY, http_proxy, NO_PROXY, no_proxy } = process.env
  t.teardown(() => {
    for (const [name, value] of Object.entries({ HTTP_PROXY, http_proxy, NO_PROXY, no_proxy })) {
      if (value === undefined) delete process.env[name]
      else process.env[name] = value
    }
  })
  for (const name of ['http_proxy', 'NO_PROXY', 'no_proxy']) delete process.env[name]
  process.env['HTTP_PROXY'] = `http://127.0.0.1:${port}`
  await installRelease(release, place(t))
  t.match(through, [/127\.0\.0\.1/])
})

t.test('each system has a release with a hash of its own', async t => {
  const all = [
    ['darwin', 'arm64'],
    ['darwin', 'x64'],
    ['linux', 'arm64'],
    ['linux', 'x64'],
  ] as const
  const releases = all.map(([os, arch]) => releaseFor(os, arch))
  t.strictSame(
    releases.map(release => release?.url.split('/').at(-1)),
    ['Darwin-arm64', 'Darwin-x86_64', 'Linux-aarch64', 'Linux-x86_64'].map(name => `lima-2.2.0-${name}.tar.gz`),
  )
  t.equal(new Set(releases.map(release => release?.sha256)).size, 4)
  for (const release of releases) t.match(release?.sha256, /^[0-9a-f]{64}$/)
  t.equal(releaseFor('linux', 'riscv64'), undefined)
})

t.test('`locald vm install` shows a Lima that is there, and names what LIMACTL does not lead to', async t => {
  const lima = await bootLima(t)
  t.match(await lima.kernel.command('vm', 'install'), { exitCode: 0, text: /^Lima 2\.2\.0 is at .*limactl$/ })
  const missing = await bootLima(t, { env: { LIMACTL: '/no/such/limactl' } })
  await t.rejects(missing.kernel.command('vm', 'status'), {
    code: 'ENGINE_FAILED',
    message: "Lima: LIMACTL names '/no/such/limactl', which is not a program",
  })
})
