import t from 'tap'
import { expectLog, expectRequest, parseLimit } from '../../../cli/expect/pattern.ts'
import type { ExchangeView } from '../../../plugins/proxy/provides.ts'

function row(path: string, method = 'GET', status = 200): ExchangeView {
  return {
    ...{ id: 'a1', time: '2026-01-01T00:00:00.000Z', host: 'shop.localhost', service: 'shop:web', scheme: 'http' },
    ...{ durationMs: 1, firstByteMs: 1, requestBytes: 0, responseBytes: 0, httpVersion: '1.1', kind: 'http' },
    ...{ answeredBy: 'service', error: null, type: null, page: null, replayOf: null, method, path, status },
  }
}

function isMet(pattern: string, path: string, method?: string, status?: number): boolean {
  return expectRequest(pattern).isMetByRequest(row(path, method, status))
}

t.test('matches the path of a request', async t => {
  const cases: readonly (readonly [string, string, boolean])[] = [
    ['/api/**', '/api/users/7/orders', true],
    ['/api/**', '/other', false],
    ['* /api/** *', '/api/users/7', true],
    ['/api/*', '/api/users/7', true],
    ['/api/*/orders', '/api/7/orders', true],
    ['/api/*/orders', '/api/7/8/orders', false],
    ['/a+b(c)[d]', '/a+b(c)[d]', true],
    ['/€', '/%E2%82%AC', true],
    ['/%E2%82%AC', '/%E2%82%AC', true],
    ['/a', '/%', false],
  ]
  for (const [pattern, path, expected] of cases) t.equal(isMet(pattern, path), expected, `${pattern} and ${path}`)
})

t.test('matches parameters of the query in any order, and ignores those that are not named', async t => {
  t.ok(isMet('/a', '/a?x=1'))
  t.ok(isMet('/a?x=1', '/a?x=1'))
  t.ok(isMet('GET /a?x=1&y=b/c 200', '/a?y=b%2Fc&z=3&x=1'))
  t.ok(isMet('/a?next=*', '/a?next=/b/c'))
  t.notOk(isMet('/a?x=1', '/a'))
  t.notOk(isMet('/a?x=1', '/a?x=12'))
  t.notOk(isMet('/a?x=1', '/abx=1'))
})

t.test('refuses what nothing could ever meet', async t => {
  for (const text of ['', 'GET a', 'GET /a 2yy', 'GET /a 999', 'GET /a 0xx', 'A B /c 200'])
    t.throws(() => expectRequest(text), { code: 'USAGE' }, text)
  t.throws(() => expectLog(''), { code: 'USAGE' })
  for (const text of ['0', '0s', '0ms', '-1s', 'soon', '21000000s'])
    t.throws(() => parseLimit(text), { code: 'USAGE' }, text)
  t.equal(parseLimit('1.5s'), 1500)
})
