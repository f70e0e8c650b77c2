import { once } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import net from 'node:net'
import t, { type Test } from 'tap'
import { WebSocketServer } from 'ws'
import { boot, type Running } from '../lib/boot.ts'
import { wire } from '../lib/client.ts'
import { at, serve } from '../lib/services.ts'
import { eventually } from '../lib/wait.ts'

const host = 'Host: shop.localhost\r\n'

/** Starts a service that responds on demand; returns its requests, in order. */
async function startPatientService(
  t: Test,
  run: Running,
): Promise<{ readonly seen: string[]; readonly answer: () => void }> {
  const seen: string[] = []
  const open: [IncomingMessage, ServerResponse][] = []
  const service = await serve(t, (req, res) => {
    seen.push(`${req.method} ${req.url}`)
    open.push([req.resume(), res])
  })
  run.catalog.set('shop:web', at(service.port))
  const answer = (): void => {
    const [req, res] = open.shift() ?? []
    res?.end(`<${req?.method} ${req?.url}>`)
  }
  return { seen, answer }
}

/** Returns the statuses and bodies of responses, in order. */
function responsesIn(text: string): string[] {
  return text.match(/(?<=HTTP\/1\.1 )\d+|<[A-Z]+ [^>]+>/g) ?? []
}

t.test('pipelined requests', async t => {
  const run = await boot(t)

  await t.test('run in order when one of them may change something', async t => {
    const { seen, answer } = await startPatientService(t, run)
    const ahead = ['POST /1', 'GET /2', 'GET /3', 'PUT /4', 'DELETE /5', 'GET /6']
    const text = ahead.map(
      line => `${line} HTTP/1.1\r\n${host}${/GET|DEL/.test(line) ? '' : 'Content-Length: 0\r\n'}\r\n`,
    )
    const client = wire(t, run.port).send(text.join(''))
    for (const begun of [1, 3, 3, 4, 5, 6]) {
      await eventually(() => seen.length === begun, `${begun} have begun, not ${seen}`)
      answer()
    }
    await client.has('<GET /6>')
    t.strictSame(seen, ahead)
    t.strictSame(
      responsesIn(client.text).filter(it => it.startsWith('<')),
      ahead.map(it => `<${it}>`),
    )
  })

  const good = `GET /1 HTTP/1.1\r\n${host}\r\n`
  const bad = 'GET  /\x01 HTTP/1.1\r\n\r\n'
  const chunked = `POST /2 HTTP/1.1\r\n${host}Transfer-Encoding: chunked\r\n\r\nnonsense\r\n`
  const version = `GET / HTTP/1.2\r\n${host}\r\n`
  const cases: [what: string, sent: string, answered: string[], asked: number][] = [
    ['one and a malformed one', good + bad, ['200', '<GET /1>', '400'], 1],
    ['two and a malformed one', good + good + bad, ['200', '<GET /1>', '200', '<GET /1>', '400'], 2],
    [
      'one with a body and a malformed one',
      `POST /1 HTTP/1.1\r\n${host}Content-Length: 2\r\n\r\nhi${bad}`,
      ['200', '<POST /1>', '400'],
      1,
    ],
    ['one and one whose body is malformed', good + chunked, ['200', '<GET /1>', '400'], 1],
    [
      'one that is the last, and another',
      good.replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n') + good,
      ['200', '<GET /1>'],
      1,
    ],
    [
      'one that is the last, and nonsense',
      `${good.replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n')}\0`,
      ['200', '<GET /1>'],
      1,
    ],
    ['one of HTTP/1.0, and another', good.replace('1.1', '1.0') + good, ['200', '<GET /1>'], 1],
    ['one and a refused one', `${good}GET /2 HTTP/1.1\r\n\r\n${good}`, ['200', '<GET /1>', '400'], 1],
    ['one and one of a version that is not spoken', good + version, ['200', '<GET /1>', '505'], 1],
    ['one and a CONNECT', `${good}CONNECT a:1 HTTP/1.1\r\n${host}\r\n`, ['200', '<GET /1>', '405'], 1],
  ]
  const variants = cases.flatMap(([what, ...rest]) => [
    { what, rest, isLast: false },
    { what: `${what}, and the end of the client's half`, rest, isLast: true },
  ])
  for (const { what, rest, isLast } of variants) {
    const [sent, answered, asked] = rest
    await t.test(what, async t => {
      const { seen, answer } = await startPatientService(t, run)
      const client = wire(t, run.port).send(sent)
      if (isLast) client.socket.end()
      await eventually(() => seen.length === asked, 'the good ones have come')
      // An error response must not overtake: give it time.
      await new Promise(resolve => setTimeout(resolve, 20))
      t.equal(client.text, '')
      for (let i = 0; i < asked; i++) answer()
      t.strictSame(responsesIn(await client.end()), answered)
      t.ok(seen.length <= asked + (sent.includes('nonsense\r\n') ? 1 : 0), seen.join())
    })
  }

  await t.test('come before and after a WebSocket', async t => {
    const service = await serve(t, (_req, res) => setImmediate(() => res.end('<GET /1>')))
    const sockets = new WebSocketServer({ server: service })
    sockets.on('connection', socket => socket.send('hello'))
    t.teardown(() => sockets.close())
    run.catalog.set('shop:web', at(service.port))
    const key = 'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: MDEyMzQ1Njc4OTAxMjM0NQ==\r\n'
    const client = wire(t, run.port).send(
      `${good}GET / HTTP/1.1\r\n${host}Connection: Upgrade\r\nUpgrade: websocket\r\n${key}\r\n`,
    )
    t.match(await client.has('hello'), /^HTTP\/1.1 200 .*<GET \/1>HTTP\/1.1 101 /s)
  })
})

t.test('survives a reset while an upgrade waits for an earlier response', async t => {
  const run = await boot(t)
  const { seen, answer } = await startPatientService(t, run)
  for (const change of ['GET / HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: echo\r\n', 'CONNECT a:1 HTTP/1.1\r\n']) {
    const client = net.connect(run.port, '127.0.0.1')
    await once(client, 'connect')
    client.write(`GET /1 HTTP/1.1\r\n${host}\r\n${change}${host}\r\n`)
    await eventually(() => seen.length > 0, 'the first request')
    client.resetAndDestroy()
    await once(client, 'close')
    answer()
    const next = wire(t, run.port).send(`GET /2 HTTP/1.1\r\n${host}\r\n`)
    await eventually(() => seen.includes('GET /2'), 'the next request')
    answer()
    t.match(await next.has('<GET /2>'), /^HTTP\/1.1 200 /)
    seen.length = 0
  }
})
