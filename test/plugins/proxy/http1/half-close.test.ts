import { once } from 'node:events'
import net from 'node:net'
import { connect as tlsConnect } from 'node:tls'
import t, { type Test } from 'tap'
import { freePort } from '../../../lib/ports.ts'
import { boot, type Running } from '../lib/boot.ts'
import { wire } from '../lib/client.ts'
import { at, serve } from '../lib/services.ts'
import { deadline, eventually } from '../lib/wait.ts'

const host = 'Host: shop.localhost\r\n'

/** Returns the statuses and bodies of responses, in order. */
function responsesIn(text: string): string[] {
  return text.match(/(?<=HTTP\/1\.1 )\d+|<[A-Z]+ [^>]+>/g) ?? []
}

/** Sends bytes, closes its half, and reads to the end. */
async function sendAndHalfClose(t: Test, run: Running, text: string, secure = false): Promise<string> {
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

t.test('clients that close their half', async t => {
  const run = await boot(t, { https: true, limits: { halfClosed: 50, grace: 50, reconnect: 50 } })
  const get = `GET /1 HTTP/1.1\r\n${host}\r\n`
  const post = `POST /1 HTTP/1.1\r\n${host}Content-Length: 2\r\n\r\nhi`

  await t.test('get their response', async t => {
    const service = await serve(t, (req, res) => setImmediate(() => res.end(`<${req.method} ${req.url}>`)))
    run.catalog.set('shop:web', at(service.port))
    for (const secure of [false, true]) {
      for (const text of [get, post, get.replace('1.1', '1.0'), get + get, get + post]) {
        const got = await sendAndHalfClose(t, run, text, secure)
        const wanted = (text.match(/GET|POST/g) ?? []).flatMap(method => ['200', `<${method} /1>`])
        // Where the first response takes longer than the limit, a 100 comes before it.
        const responses = responsesIn(got).filter(part => part !== '100')
        t.strictSame(responses, wanted, `${secure ? 'https' : 'http'}: ${JSON.stringify(text)}`)
      }
    }
  })

  await t.test('get it for an upgrade, accepted or not', async t => {
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
        const got = await sendAndHalfClose(t, run, `${before}${change}early`, secure)
        t.match(got, /101 Switching Protocols\r\n.*\r\n\r\nhello early goodbye$/s)
      }
    }
    service.removeAllListeners('upgrade')
    // On a busy machine the proxy may probe whether the client is connected.
    for (const secure of [false, true])
      t.strictSame(responsesIn(await sendAndHalfClose(t, run, change, secure)).slice(-2), ['200', '<GET /1>'])
  })

  await t.test('get a late one, one in pieces, and one of the proxy', async t => {
    const service = await serve(t, (_req, res) => {
      setTimeout(() => {
        res.write('<GET /1>')
        setTimeout(() => res.end('<GET /2>'), 150)
      }, 200)
    })
    run.catalog.set('shop:web', at(service.port))
    const got = await sendAndHalfClose(t, run, get)
    t.match(got, /^(HTTP\/1.1 100 Continue\r\n\r\n){2}HTTP\/1.1 200 OK\r\n/, 'which is probed')
    t.strictSame(responsesIn(got).slice(-2), ['<GET /1>', '<GET /2>'])
    run.catalog.set('shop:web', at(await freePort()))
    t.match(await sendAndHalfClose(t, run, get), /HTTP\/1.1 502 /)
  })

  await t.test('have their request cancelled when they have disconnected', async t => {
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
