import t from 'tap'
import { ForwardedHeaders } from '../../../../plugins/proxy/message/forwarded.ts'
import { readRequest } from '../../../../plugins/proxy/message/request-head.ts'
import { readResponse } from '../../../../plugins/proxy/message/response-head.ts'
import type { FastExchange } from '../../../../plugins/proxy/recorder/compact.ts'
import { Recorder } from '../../../../plugins/proxy/recorder/recorder.ts'

const forwarded = new ForwardedHeaders({ remote: '127.0.0.1', port: 80, scheme: 'https' })
const service = { key: 'shop:api', address: { host: '127.0.0.1', port: 1 }, prefix: '/api', protocol: 'http' } as const

function exchange(requestHead: string, responseHead: string | undefined): FastExchange {
  const request = readRequest(Buffer.from(requestHead, 'latin1'))
  if (typeof request !== 'object') throw new Error('not a request')
  const response = responseHead === undefined ? undefined : readResponse(Buffer.from(responseHead, 'latin1'), false)
  if (typeof response === 'string' || typeof response === 'number') throw new Error('not a response')
  const to = { ...service, path: request.path.slice(4) }
  const times = { since: 1.5, headAt: response === undefined ? 0 : 2.25, endAt: 3.125 }
  return { request, scheme: 'https', to, forwarded, ...times, response, bytes: 5, error: undefined }
}

t.test('reads back what it keeps, small and large', t => {
  const recorder = new Recorder('metadata', t.testdir())
  for (const size of [10, 5000]) {
    const field = `X-Mine: \xe9${'v'.repeat(size)}\r\n`
    recorder.add(
      exchange(
        `GET /api/a?b=c HTTP/1.1\r\nHost: shop.localhost\r\n${field}\r\n`,
        `HTTP/1.1 404 Nothing Here At All\r\nX-Made: ${'w'.repeat(size)}\r\nContent-Length: 5\r\n\r\n`,
      ),
    )
    const entry = recorder.list().at(-1)
    t.match(entry, {
      ...{ since: 1.5, headAt: 2.25, endAt: 3.125, responseBytes: 5, isOver: true, answeredBy: 'service' },
      head: { method: 'GET', path: '/api/a?b=c', host: 'shop.localhost', scheme: 'https', version: '1.1' },
      response: { status: 404, reason: 'Nothing Here At All', fields: `X-Made: ${'w'.repeat(size)}\r\n` },
      sent: { to: { ...service, path: '/a?b=c' } },
    })
    const { request } = entry?.sent ?? {}
    const head = request?.protocol === 'http/1.1' ? request.head : ''
    t.ok(head.startsWith(`GET /a?b=c HTTP/1.1\r\nHost: shop.localhost\r\n${field}`), head.slice(0, 80))
    t.match(head, /\r\nX-Forwarded-Prefix: \/api\r\n\r\n$/)
    t.equal(recorder.find(entry === undefined ? '' : recorder.idOf(entry)), entry, 'one entry for all readers')
  }
  t.end()
})

t.test('reads an exchange without a response, and the right ones after many', t => {
  const recorder = new Recorder('metadata', t.testdir())
  const head = (number: number): string => `HEAD /api/${number} HTTP/1.1\r\nHost: shop.localhost\r\n\r\n`
  for (let i = 0; i < 1234; i++) recorder.add({ ...exchange(head(i), undefined), error: 'the client disconnected' })
  const entries = recorder.list()
  t.strictSame(
    entries.map(entry => entry.head.path),
    Array.from({ length: 500 }, (_, i) => `/api/${734 + i}`),
  )
  t.match(entries[0], { head: { method: 'HEAD' }, response: undefined, headAt: 0, error: 'the client disconnected' })
  const { position } = recorder
  recorder.add(exchange(head(2000), undefined))
  t.strictSame(
    recorder.since(position).map(entry => entry.head.path),
    ['/api/2000'],
  )
  t.end()
})

t.test('keeps at most 8 MB of large heads', t => {
  const recorder = new Recorder('metadata', t.testdir())
  const head = `GET /api/ HTTP/1.1\r\nHost: a\r\n${`X: ${'y'.repeat(4000)}\r\n`.repeat(10)}\r\n`
  for (let i = 0; i < 500; i++) recorder.add(exchange(head, undefined))
  t.ok(recorder.list().length < 120, `${recorder.list().length}`)
  t.ok(recorder.list().length > 90, `${recorder.list().length}`)
  t.end()
})
