import { existsSync, readdirSync, statSync } from 'node:fs'
import http from 'node:http'
import { join } from 'node:path'
import t from 'tap'
import { ForwardedHeaders } from '../../../../plugins/proxy/message/forwarded.ts'
import { readRequest } from '../../../../plugins/proxy/message/request-head.ts'
import { Recorder } from '../../../../plugins/proxy/recorder/recorder.ts'
import { until } from '../../../lib/running.ts'
import { get } from '../lib/client.ts'
import { at, serve } from '../lib/services.ts'
import { inspected } from './harness.ts'

/** Growth that noise explains, bytes: 100,000 kept exchanges would be more than 50 MB. */
const noise = 36 * 1024 * 1024

t.test('100,000 exchanges need no more memory than the first', t => {
  const recorder = new Recorder('metadata', t.testdir())
  const text = ` HTTP/1.1\r\nHost: a\r\n${'X-Field: 0123456789\r\n'.repeat(20)}\r\n`
  const to = {
    key: 'shop:web',
    address: { host: '127.0.0.1', port: 1 },
    path: '/',
    prefix: undefined,
    protocol: 'http',
  } as const
  const forwarded = new ForwardedHeaders({ remote: '127.0.0.1', port: 80, scheme: 'http' })
  const add = (count: number): void => {
    for (let i = 0; i < count; i++) {
      const request = readRequest(Buffer.from(`GET /${i}${text}`))
      if (typeof request !== 'object') throw new Error('not a request')
      const times = { since: i, headAt: i, endAt: i }
      recorder.add({
        request,
        scheme: 'http',
        to,
        forwarded,
        ...times,
        response: undefined,
        bytes: 1,
        error: undefined,
      })
    }
  }
  add(20_000)
  const before = process.memoryUsage().rss
  add(100_000)
  const grown = process.memoryUsage().rss - before
  t.ok(grown < noise, `${grown} bytes`)
  t.equal(recorder.list().length, 500)
  t.end()
})

t.test('keeps at most 8 MB of heads', t => {
  const recorder = new Recorder('metadata', t.testdir())
  const fields = `x: ${'y'.repeat(60_000)}\r\n`
  for (let i = 0; i < 500; i++)
    recorder.begin({ method: 'GET', path: '/', host: 'a', scheme: 'http', version: '2', fields }, i)
  t.ok(recorder.list().length < 80, `${recorder.list().length}`)
  t.ok(recorder.list().length > 50, `${recorder.list().length}`)
  t.end()
})

t.test('keeps nothing of a body of 1 GB, and not more than the limits of many', async t => {
  const proxy = await inspected(t, { options: { record: 'full' } })
  const piece = Buffer.alloc(1024 * 1024, 'z')
  const { port } = await serve(t, (req, res) => {
    let left = Number(req.url?.slice(1))
    const write = (): void => {
      while (left > 0) {
        left -= piece.length
        if (!res.write(piece)) return void res.once('drain', write)
      }
      res.end()
    }
    write()
  })
  proxy.catalog.project('shop')
  proxy.catalog.set('shop:web', at(port))
  const drain = (path: string): Promise<void> =>
    new Promise((resolve, reject) => {
      const asking = http.get({ port: proxy.port, host: '127.0.0.1', path, headers: { host: 'shop.localhost' } }, res =>
        res.on('data', () => undefined).once('end', resolve),
      )
      asking.once('error', reject)
    })
  await drain(`/${64 * 1024 * 1024}`)
  const before = process.memoryUsage().rss
  await drain(`/${1024 ** 3}`)
  const grown = process.memoryUsage().rss - before
  t.ok(grown < 4 * noise, `${grown} bytes`)
  const huge = await proxy.row(({ responseBytes }) => responseBytes === 1024 ** 3)
  t.match((await proxy.detail(huge.id)).responseBody, { text: null, note: 'Not kept: larger than 1 MB.' })
  const folder = join(proxy.data, 'requests')
  t.notOk(existsSync(folder))
  for (let i = 0; i < 80; i++) await get(proxy.port, 'shop.localhost', `/${1024 * 1024}`)
  // Those that made room are deleted a moment later.
  await until('at most 64 files', () => readdirSync(folder).length <= 64)
  const files = readdirSync(folder).map(name => statSync(join(folder, name)))
  t.ok(files.length > 0, `${files.length} files`)
  t.ok(
    files.every(({ mode }) => (mode & 0o077) === 0),
    'for this user alone',
  )
  const first = (await proxy.list()).find(({ responseBytes }) => responseBytes === 1024 * 1024)
  t.equal((await proxy.detail(first?.id ?? '')).responseBody.note, 'Not kept: deleted to make room for later ones.')
})
