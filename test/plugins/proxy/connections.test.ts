import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import net from 'node:net'
import { connect as tlsConnect } from 'node:tls'
import t, { type Test } from 'tap'
import { WebSocketServer } from 'ws'
import { maxDescriptors } from '../../../plugins/proxy/listen/descriptor-limit.ts'
import { at, boot, deadline, eventually, type Running, serve, unused, wire } from './harness.ts'

const host = 'Host: shop.localhost\r\n'

/** A service that answers when it is told to; what it was asked, in order. */
async function patient(t: Test, run: Running): Promise<{ readonly seen: string[]; readonly answer: () => void }> {
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

/** The statuses and bodies of what was answered, in order. */
function answers(text: string): string[] {
  return text.match(/(?<=HTTP\/1\.1 )\d+|<[A-Z]+ [^>]+>/g) ?? []
}

t.test('requests sent ahead', async t => {
  const run = await boot(t)

  await t.test('are in order where one of them may change something', async t => {
    const { seen, answer } = await patient(t, run)
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
      answers(client.text).filter(it => it.startsWith('<')),
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
      const { seen, answer } = await patient(t, run)
      const client = wire(t, run.port).send(sent)
      if (isLast) client.socket.end()
      await eventually(() => seen.length === asked, 'the good ones have come')
      // A refusal must not overtake: there is time for it.
      await new Promise(resolve => setTimeout(resolve, 20))
      t.equal(client.text, '')
      for (let i = 0; i < asked; i++) answer()
      t.strictSame(answers(await client.end()), answered)
      t.ok(seen.length <= asked + (sent.includes('nonsense\r\n') ? 1 : 0), seen.join())
    })
  }

  await t.test('and a WebSocket', async t => {
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

t.test('a reset while a switch of protocols waits for an earlier answer', async t => {
  const run = await boot(t)
  const { seen, answer } = await patient(t, run)
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

/** Sends bytes, ends its half, and reads to the end. */
async function halfClosed(t: Test, run: Running, text: string, secure = false): Promise<string> {
  const to = { host: '127.0.0.1', port: secure ? run.securePort : run.port, allowHalfOpen: true }
  const socket = secure ? tlsConnect({ ...to, ca: run.ca, servername: 'shop.localhost' }) : net.connect(to)
  t.teardown(() => socket.destroy())
  let got = ''
  socket.setEncoding('latin1').on('data', (data: string) => {
    got += data
  })
  socket.end(text)
  await once(socket, 'end', { signal: AbortSignal.timeout(deadline) })
  return got
}

t.test('clients that end their half', async t => {
  const run = await boot(t, { https: true, limits: { halfClosed: 50, grace: 50, reconnect: 50 } })
  const get = `GET /1 HTTP/1.1\r\n${host}\r\n`
  const post = `POST /1 HTTP/1.1\r\n${host}Content-Length: 2\r\n\r\nhi`

  await t.test('get their answer', async t => {
    const service = await serve(t, (req, res) => setImmediate(() => res.end(`<${req.method} ${req.url}>`)))
    run.catalog.set('shop:web', at(service.port))
    for (const secure of [false, true]) {
      for (const text of [get, post, get.replace('1.1', '1.0'), get + get, get + post]) {
        const got = await halfClosed(t, run, text, secure)
        const wanted = (text.match(/GET|POST/g) ?? []).flatMap(method => ['200', `<${method} /1>`])
        t.strictSame(answers(got), wanted, `${secure ? 'https' : 'http'}: ${JSON.stringify(text)}`)
      }
    }
  })

  await t.test('also to a request to switch protocols, granted or not', async t => {
    const service = await serve(t, (_req, res) => res.end('<GET /1>'))
    service.on('upgrade', (_req, socket) => {
      socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\nhello ')
      socket.on('data', (data: Buffer) => socket.write(data))
      socket.on('end', () => socket.end(' goodbye'))
    })
    run.catalog.set('shop:web', at(service.port))
    const change = `GET /1 HTTP/1.1\r\n${host}Connection: Upgrade\r\nUpgrade: echo\r\n\r\n`
    for (const secure of [false, true]) {
      for (const before of ['', get]) {
        const got = await halfClosed(t, run, `${before}${change}early`, secure)
        t.match(got, /101 Switching Protocols\r\n.*\r\n\r\nhello early goodbye$/s)
      }
    }
    service.removeAllListeners('upgrade')
    // On a busy machine it may be asked whether it is still there.
    for (const secure of [false, true])
      t.strictSame(answers(await halfClosed(t, run, change, secure)).slice(-2), ['200', '<GET /1>'])
  })

  await t.test('also a late one, one that comes in pieces, and one of the proxy itself', async t => {
    const service = await serve(t, (_req, res) => {
      setTimeout(() => {
        res.write('<GET /1>')
        setTimeout(() => res.end('<GET /2>'), 150)
      }, 200)
    })
    run.catalog.set('shop:web', at(service.port))
    const got = await halfClosed(t, run, get)
    t.match(got, /^(HTTP\/1.1 100 Continue\r\n\r\n){2}HTTP\/1.1 200 OK\r\n/, 'which is asked whether it is still there')
    t.strictSame(answers(got).slice(-2), ['<GET /1>', '<GET /2>'])
    run.catalog.set('shop:web', at(await unused()))
    t.match(await halfClosed(t, run, get), /HTTP\/1.1 502 /)
  })

  await t.test('or have left, which their service gets to know', async t => {
    for (const text of [get, post]) {
      let open = 0
      const service = await serve(t, (req, res) => {
        open++
        req.resume()
        res.once('close', () => open--)
      })
      run.catalog.set('shop:web', at(service.port))
      const client = wire(t, run.port).send(text)
      await eventually(() => open === 1, 'it is under way')
      client.socket.destroy()
      await eventually(() => open === 0, 'it is let go')
      t.pass(text.slice(0, 4))
    }
  })
})

t.test('connections that are too many for the system are closed at once, and others are served again', async t => {
  const open = readdirSync('/dev/fd').length
  const run = await boot(t, { https: true, limits: { descriptors: open + 40 } })
  const service = await serve(t, (_req, res) => res.end('fine'))
  run.catalog.set('shop:web', at(service.port))
  for (const port of [run.port, run.securePort]) {
    const clients: net.Socket[] = []
    let closed = 0
    for (let count = 0; count < 60; count++) {
      const client = net.connect(port, '127.0.0.1').on('error', () => {})
      client.once('close', () => {
        closed += 1
      })
      client.resume()
      clients.push(client)
      await once(client, 'connect')
    }
    await eventually(() => closed >= 30, 'those that are too many are closed')
    t.ok(closed < 60, `${closed} were closed`)
    for (const client of clients) client.destroy()
    await eventually(() => readdirSync('/dev/fd').length < open + 30, 'all are gone')
  }
  t.ok(run.log.some(line => /^warn closed a new connection: the limit of \d+ open descriptors is reached$/.test(line)))
  t.match(await wire(t, run.port).send(`GET / HTTP/1.1\r\n${host}Connection: close\r\n\r\n`).end(), /fine$/)
})

t.test('a Mac has a highest descriptor for them, other systems have none', t => {
  t.ok(maxDescriptors('darwin') < 10_240 / 2 + 1)
  t.equal(maxDescriptors('linux'), Number.POSITIVE_INFINITY)
  t.end()
})
