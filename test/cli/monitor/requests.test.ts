import t from 'tap'
import type { BodyView, ExchangeDetail, ExchangeView } from '../../../plugins/proxy/provides.ts'
import { json, view } from '../fake-daemon.ts'
import { Scripted } from './scripted.ts'

const shop = [view('web'), view('api'), view('queue', { port: null, url: null, health: null })]

function exchange(number: number, more: Partial<ExchangeView> = {}): ExchangeView {
  return {
    ...{ id: `ab${number}`, time: `2026-01-01T10:00:${String(number % 60).padStart(2, '0')}.000Z`, method: 'GET' },
    ...{ host: 'api.shop.localhost', path: `/orders/${number}`, status: 200, service: 'shop:api', durationMs: 12 },
    ...{ requestBytes: 0, responseBytes: 34, scheme: 'https', httpVersion: '1.1', kind: 'http', error: null },
    ...{ answeredBy: 'service', firstByteMs: 4, type: 'application/json', page: null, replayOf: null },
    ...more,
  }
}

const body = (text: string, type = 'application/json'): BodyView => {
  return { bytes: text.length, type, decodedFrom: null, text, base64: null, note: null }
}

function detail(row: ExchangeView, more: Partial<ExchangeDetail> = {}): ExchangeDetail {
  return {
    ...{ ...row, reason: 'OK', requestHeaders: [{ name: 'authorization', value: '•••', isMasked: true }] },
    ...{ responseHeaders: [{ name: 'content-type', value: 'application/json', isMasked: false }] },
    ...{ requestBody: body(''), responseBody: body('{"total":3,"rows":[1]}'), frames: [], framesLost: 0 },
    ...{ isMasked: true, cannotReplay: null },
    ...more,
  }
}

t.test('requests are listed live, and changed in place', async t => {
  const scripted = await Scripted.start(t, shop)
  scripted.requests.push(exchange(1), exchange(2, { status: 503, method: 'DELETE', durationMs: 1234.5 }))
  const screen = scripted.open([], { columns: 100, rows: 24 })
  await screen.shows('▌ ● web')
  t.notOk(
    scripted.daemon.asked.some(({ query }) => query.getAll('topic').includes('requests')),
    'the proxy keeps bodies only while requests are shown',
  )
  screen.press('i')
  await screen.shows(/─ requests ─+ following ─/)
  await screen.shows(/^ {2}\d\d:\d\d:01 GET {4}200 \/orders\/1 +api +12 ms$/m)
  await screen.shows(/^▌ \d\d:\d\d:02 DELETE 503 \/orders\/2 +api +1\.2 s$/m)
  const row = screen.xterm.lines.findIndex(line => line.includes('DELETE'))
  t.equal(screen.xterm.style(18, row), '31', 'a failure is red')
  scripted.push('requests', exchange(3, { status: null, durationMs: null }))
  await screen.shows(/^▌ .* GET {4}… {3}\/orders\/3 +api +…$/m)
  scripted.push('requests', exchange(3, { status: null, error: 'ECONNRESET' }))
  await screen.shows(/^▌ .* GET {4}- {3}\/orders\/3 +api +12 ms$/m)
  screen.press('k')
  await screen.shows(/^▌ .*\/orders\/2 /m)
  scripted.push('requests', exchange(4), exchange(5))
  await screen.shows(/─ 2 new ↓ ─/)
  t.match(screen.text, /^▌ .*\/orders\/2 /m, 'what was chosen stays')
  screen.press('f')
  await screen.shows(/^▌ .*\/orders\/5 /m)
  screen.press('i')
  await screen.shows(/─ web ─+ following ─/)
  screen.press('q')
  t.same(await screen.exit, { code: 0, isRestored: true })
})

t.test('a request is shown, replayed, and copied as curl', async t => {
  const scripted = await Scripted.start(t, shop)
  scripted.requests.push(exchange(1), exchange(2))
  scripted.daemon
    .on('GET /v1/requests/ab1', json(detail(exchange(1))))
    .on('GET /v1/requests/ab7', json(detail(exchange(7, { replayOf: 'ab1' }), { reason: 'Again' })))
    .on('GET /v1/requests/ab1/snippet', json({ text: "curl 'https://api.shop.localhost/orders/1'" }))
    .on('POST /v1/requests/ab1/replay', json(exchange(7, { replayOf: 'ab1' })))
  const screen = scripted.open([], { columns: 100, rows: 40 })
  await screen.shows('▌ ● web')
  screen.press('i')
  await screen.shows(/^▌ .*\/orders\/2 /m)
  screen.press('k\r')
  await screen.shows(/─ request ab1 ─/)
  await screen.shows(/GET https:\/\/api\.shop\.localhost\/orders\/1\n {2}authorization: •••/)
  t.match(screen.text, / {2}200 OK from shop:api · 12 ms · 34B\n {2}content-type: application\/json/)
  t.match(screen.text, / {2}\{\n {4}"total": 3,\n {4}"rows": \[\n {6}1\n/, 'JSON is indented')
  t.match(screen.text, '`locald requests show ab1 --reveal`')
  screen.press('y')
  await screen.shows('Copied as curl, secrets masked')
  t.same(screen.xterm.copied, ["curl 'https://api.shop.localhost/orders/1'"])
  t.equal(scripted.daemon.last('/v1/requests/ab1/snippet').query.toString(), 'as=curl', 'nothing is revealed')
  screen.press('r')
  await screen.shows(/─ request ab7 ─[\s\S]*200 Again/)
  await screen.shows('Replayed GET /orders/7: 200')
  screen.press('\x1b')
  await screen.shows(/^▌ .*\/orders\/7 /m)
  t.notMatch(screen.text, 'new ↓', 'there is none below it')
  screen.press('Y')
  await screen.shows('Copied https://api.shop.localhost/orders/7')
  t.equal(screen.xterm.copied[1], 'https://api.shop.localhost/orders/7')
  t.notOk(scripted.daemon.asked.some(({ path }) => path === '/v1/projects/restart'))
  screen.press('q')
  await screen.exit
})

t.test('requests are filtered by words, and by the selected service', async t => {
  const scripted = await Scripted.start(t, shop)
  scripted.requests.push(exchange(1), exchange(2, { status: 502 }), exchange(3, { service: 'shop:web', path: '/in' }))
  scripted.requests.push(exchange(4, { service: null, host: 'who.localhost', path: '/', status: 404 }))
  const screen = scripted.open()
  await screen.shows('▌ ● web')
  screen.press('i')
  await screen.shows(/^▌ .*404 who\.localhost\//m)
  const paths = () => screen.xterm.lines.flatMap(line => / (?:GET) +\d+ (\S+)/.exec(line)?.[1] ?? [])
  t.strictSame(paths(), ['/orders/1', '/orders/2', '/in', 'who.localhost/'])
  screen.press('/5xx')
  await screen.shows('only “5xx” 1 ·')
  t.strictSame(paths(), ['/orders/2'])
  screen.press('\x15service:api -/orders/2\r')
  await screen.shows('only “service:api -/orders/2” 1 ·')
  t.strictSame(paths(), ['/orders/1'])
  screen.press('\x1b')
  await screen.shows(text => text.includes('/in') && !text.includes('only'))
  screen.press('a')
  await screen.shows(/─ requests of web ─/)
  t.strictSame(paths(), ['/in'], 'of the selected service')
  screen.press('\tjj')
  await screen.shows('No requests of queue: press a for all.')
  screen.press('/zz')
  await screen.shows('No request matches.')
  screen.press('\x1b')
  await screen.shows('No requests of queue')
  screen.press('q')
  await screen.exit
})

t.test('control sequences and wide characters of requests stay in their places', async t => {
  const scripted = await Scripted.start(t, shop)
  const hostile = { path: '/\x1b[2J\x1b]52;c;aGk=\x07\u009b31m\r\n日本語👩‍👩‍👧/\u202egnp.exe', host: 'a\x1b[1mb' }
  scripted.requests.push(exchange(1, { ...hostile, service: null, error: '\x1b[5m' }))
  const header = { name: 'x\x1b]0;title\x07', value: '\x1b[?1049l', isMasked: false }
  const shown = detail(exchange(1, hostile), {
    ...{ requestHeaders: [header], reason: '\x1b[2J', frames: [] },
    responseBody: body('first\r\n\x1b[31msecond\x1b]52;c;aGk=\x07\x00\n\tthird', 'text/plain'),
  })
  scripted.daemon.on('GET /v1/requests/ab1', json(shown))
  for (const size of [
    { columns: 40, rows: 10 },
    { columns: 80, rows: 24 },
    { columns: 200, rows: 60 },
  ]) {
    const screen = scripted.open([], size)
    await screen.shows('▌ ● web')
    screen.press('iz')
    await screen.shows(/▌ .*GET +200 ab\//)
    screen.press('\r')
    await screen.shows('─ request ab1 ─')
    if (size.rows > 10) await screen.shows(/first\n {2}\\?u?0?0?1?b?.*second/)
    t.strictSame(screen.xterm.copied, [])
    t.ok(screen.xterm.isAlternate)
    t.notMatch(screen.output, /\x1b\]|\x1b\[\?1049l|\x07|\u009b|\u202e|\x1b\[5m/)
    const [, ...frames] = screen.output.split('\x1b[?2026h')
    t.equal(
      frames.filter(frame => frame.includes('\x1b[2J')).length,
      1,
      'the screen is cleared once, by the first frame',
    )
    screen.press('q')
    await screen.shows(/▌ .*GET/)
    screen.press('q')
    t.same(await screen.exit, { code: 0, isRestored: true })
  }
})

t.test('of a flood of requests the latest are kept, and those of another daemon go', async t => {
  const scripted = await Scripted.start(t, shop)
  const screen = scripted.open([], { columns: 100, rows: 24 })
  await screen.shows('▌ ● web')
  const followed = new Promise<void>(resolve => scripted.daemon.whenAsked('/v1/stream', resolve))
  screen.press('i')
  await screen.shows('No requests yet: open the URL of a service.')
  await followed
  for (let from = 0; from < 6000; from += 500)
    scripted.push('requests', ...Array.from({ length: 500 }, (_, index) => exchange(from + index)))
  await screen.shows(/^▌ .*\/orders\/5999 /m)
  screen.press('g')
  await screen.shows(/^▌ .*\/orders\/(?:3[89]\d\d|4\d\d\d) /m)
  scripted.requests.push(exchange(7000))
  scripted.breakStreams()
  await screen.shows('daemon lost')
  await screen.shows(text => text.includes('/orders/7000') && !text.includes('/orders/4') && !text.includes('lost'))
  screen.press('q')
  await screen.exit
})

t.test('says why there are no requests', async t => {
  const scripted = await Scripted.start(t, shop)
  scripted.daemon.on('GET /v1/requests', json({ requests: [], record: 'off' }))
  const screen = scripted.open([], { columns: 100 })
  await screen.shows('▌ ● web')
  screen.press('i')
  await screen.shows('Requests are not recorded: remove `record = "off"` from [proxy] in config.toml.')
  screen.press('q')
  await screen.exit
})
