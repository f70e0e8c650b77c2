import { once } from 'node:events'
import { connect } from 'node:net'
import { connect as connectTls, type TLSSocket } from 'node:tls'
import type { Test } from 'tap'
import { systemCode } from '../../kernel/errors.ts'
import { type Address, ask, Mute, sizeOf } from '../lib/raw-http.ts'
import { until } from '../lib/running.ts'
import type { Sandbox } from '../lib/sandbox.ts'
import { type Machine, on, onHost } from './suite.ts'

const MB = 1024 * 1024
/** The daemon may be so much larger in the middle of it, and so much when it is over, when its garbage may not have been collected yet: bytes. */
const mostMore = 200 * MB
const leftMore = 100 * MB
/** The same for what is given back as soon as it is quiet, as are connections of TLS, each 40 to 100 KB. */
const secureLeftMore = 32 * MB
/** Descriptors that a daemon may open for a moment on its own. */
const fdsMore = 40
/** Others are served within so long, the median of some: ms. */
const servedMs = 1000

/** Prints as fast as it can, and returns the number of lines over HTTP. */
const chatty = `
  import { createServer } from 'node:http'
  import { writeSync } from 'node:fs'
  let count = 0
  createServer((request, response) => response.end(request.url === '/big' ? 'x'.repeat(20_000_000) : String(count)))
    .listen(Number(process.env.PORT), '127.0.0.1')
  const line = '.'.repeat(100) + '\\n'
  const turn = () => {
    for (let i = 0; i < 20; i++) writeSync(1, line)
    count += 20
    setImmediate(turn)
  }
  turn()
`

/** A daemon with a project to attack, and what it takes itself to be. */
class Target {
  readonly box: Sandbox
  readonly api: Address
  readonly proxy: Address
  readonly host: string
  readonly folder: string
  readonly pid: number
  readonly before: { readonly memory: number; readonly fds: number }
  #most = 0

  private constructor(fields: Pick<Target, 'box' | 'api' | 'proxy' | 'host' | 'folder' | 'pid'>) {
    this.box = fields.box
    this.api = fields.api
    this.proxy = fields.proxy
    this.host = fields.host
    this.folder = fields.folder
    this.pid = fields.pid
    this.before = sizeOf(fields.pid)
  }

  /** The daemon is made to work a little first: what it then has is what it is measured by. */
  static async start(machine: Machine, command: string): Promise<Target> {
    const box = machine.sandbox()
    const folder = box.project('target', {
      'locald.toml': `
        [project]
        name = "target"
        [services.target]
        command = "exec ${process.execPath} ${command}"
        tty = false
        [services.calm]
        command = "exec ${process.execPath} quiet.mjs"
      `,
      'chatty.mjs': chatty,
      'quiet.mjs': chatty.replace(/ {2}turn\(\)\n/, ''),
    })
    await box.up(folder)
    const { pid, socket, http } = await box.server()
    const api = { path: socket }
    const proxy = { port: http ?? 0, host: '127.0.0.1' }
    const fields = { box, folder, pid, api, proxy, host: `target.localhost:${http}` }
    const warm = new Target(fields)
    for (let i = 0; i < 10; i++) await Promise.all(Array.from({ length: 20 }, () => warm.status()))
    return new Target(fields)
  }

  status() {
    return retried(() => ask(this.api, `/v1/services?path=${encodeURIComponent(this.folder)}`))
  }

  /** The service that is made to do much. */
  busy() {
    return ask(this.proxy, '/', { headers: { host: this.host } })
  }

  /** The one that is not. */
  calm() {
    return ask(this.proxy, '/', { headers: { host: `calm.${this.host}` } })
  }

  /** Others, of the socket and of the proxy, are served, and the daemon has not grown without a bound. */
  async serves(t: Test, when: string): Promise<void> {
    const times: number[] = []
    for (let i = 0; i < 5; i++) {
      const [status, web] = [await this.status(), await this.calm()]
      if (status.status !== 200 || web.status !== 200)
        t.fail(`${when}: ${status.status} and ${web.status}: ${web.body}`)
      times.push(status.ms, web.ms)
    }
    const median = times.sort((a, b) => a - b)[times.length / 2] ?? Number.NaN
    t.ok(median < servedMs, `${when} others are served: ${Math.round(median)} ms`)
    const { memory } = this.look()
    t.ok(memory - this.before.memory < mostMore, `${when} it has ${show(memory - this.before.memory)} more`)
  }

  /** The most it has had, for what comes and goes while something is going on. */
  look() {
    const size = sizeOf(this.pid)
    this.#most = Math.max(this.#most, size.memory)
    return size
  }

  /** It is what it was. */
  async over(t: Test): Promise<void> {
    await until('its descriptors to be closed', () => this.look().fds <= this.before.fds + fdsMore, 90_000)
    await until('its memory to be given back', () => this.look().memory < this.before.memory + leftMore, 30_000)
    const { memory, fds } = this.look()
    t.comment(
      `before ${show(this.before.memory)}, at most ${show(this.#most)}, now ${show(memory)}; ${fds} descriptors`,
    )
    t.ok(this.#most - this.before.memory < mostMore, 'it never was much more')
    t.equal((await this.box.server()).pid, this.pid, 'it is the same daemon')
    t.match(
      (await this.box.status(this.folder)).map(({ status, restarts }) => ({ status, restarts })),
      [{ status: 'running', restarts: 0 }],
    )
  }
}

const show = (bytes: number) => `${Math.round(bytes / MB)} MB`

onHost('answers malformed requests with errors and stays small', async (t, machine) => {
  const target = await Target.start(machine, 'quiet.mjs')
  const { api, proxy, host, folder } = target
  const path = JSON.stringify(folder)
  const bad: readonly (readonly [string, string, string | undefined, number])[] = [
    ['POST', '/v1/projects/up', '{"path": ', 400],
    ['POST', '/v1/projects/up', '', 400],
    ['POST', '/v1/projects/up', 'null', 400],
    ['POST', '/v1/projects/up', '[]', 400],
    ['POST', '/v1/projects/up', '"text"', 400],
    ['POST', '/v1/projects/up', '{}', 400],
    ['POST', '/v1/projects/up', `{"path": ${path}}`, 400],
    ['POST', '/v1/projects/up', `{"path": ${path}, "env": []}`, 400],
    ['POST', '/v1/projects/up', `{"path": ${path}, "env": {"A": {}}}`, 400],
    ['POST', '/v1/projects/up', `{"path": ${path}, "env": {}, "services": {}}`, 400],
    ['POST', '/v1/projects/up', `{"path": ${path}, "env": {}, "services": [null, {}]}`, 400],
    ['POST', '/v1/projects/up', `{"path": ${path}, "env": {}, "surprise": 1}`, 400],
    ['POST', '/v1/projects/up', `{"path": {}, "env": {}}`, 400],
    ['POST', '/v1/projects/up', `{"path": "relative", "env": {}}`, 400],
    ['POST', '/v1/projects/up', `{"path": "/${'x'.repeat(5000)}", "env": {}}`, 400],
    ['POST', '/v1/projects/up', `{"path": "/\\u0000", "env": {}}`, 404],
    ['POST', '/v1/projects/up', `{"path": "/nowhere/at/all", "env": {}}`, 404],
    ['POST', '/v1/projects/up', `{"path": ${path}, "env": {}, "services": ["__proto__"]}`, 404],
    ['POST', '/v1/projects/up', `{"__proto__": {"path": "/"}, "path": ${path}, "env": {}}`, 400],
    ['POST', '/v1/projects/stop', `{"path": ${path}, "all": "perhaps"}`, 400],
    ['POST', '/v1/services/wait', `{"path": ${path}, "timeoutMs": 1e99}`, 400],
    ['POST', '/v1/services/wait', `{"path": ${path}, "timeoutMs": "soon"}`, 400],
    ['POST', '/v1/server/shutdown', '{}', 400],
    ['POST', '/v1/server/shutdown', '{"keepServices": null}', 400],
    ['POST', '/v1/commands/%00', `{"argv": [], "cwd": ${path}}`, 400],
    ['POST', '/v1/commands/constructor', `{"argv": [], "cwd": ${path}}`, 400],
    ['GET', '/v1/services', undefined, 400],
    ['GET', '/v1/services?path=%00', undefined, 400],
    ['GET', '/v1/services?path=/&path=/', undefined, 400],
    ['GET', `/v1/logs?path=${folder}&grep=(`, undefined, 400],
    ['GET', `/v1/logs?path=${folder}&tail=-1`, undefined, 400],
    ['GET', `/v1/logs?path=${folder}&since=soon`, undefined, 400],
    ['GET', `/v1/logs?path=${folder}&service=constructor`, undefined, 404],
    ['GET', `/v1/services/why?path=${folder}&service=__proto__`, undefined, 404],
    ['GET', '/v1/../../etc/passwd', undefined, 404],
    ['GET', '/%', undefined, 400],
    ['DELETE', '/v1/projects/up', undefined, 404],
    ['OPTIONS', '*', undefined, 404],
  ]
  for (const [method, where, body, status] of bad) {
    const reply = await ask(api, where, { method, ...(body === undefined ? {} : { body }) })
    t.equal(
      reply.status,
      status,
      `${method} ${where.slice(0, 60)} ${body?.slice(0, 80) ?? ''}: ${reply.body.slice(0, 200)}`,
    )
    const said: { error?: { code?: string } } = JSON.parse(reply.body)
    t.type(said.error?.code, 'string', 'says why')
  }
  const large = JSON.stringify({ path: folder, env: { A: 'x'.repeat(9 * MB) } })
  // It is not read to its end, so that the answer may be missed.
  const answer = await ask(api, '/v1/projects/up', { method: 'POST', body: large }).catch(systemCode)
  if (typeof answer === 'object') t.match(answer, { status: 400, body: /Send at most 4 MB/ })
  else t.match(answer, /^(EPIPE|ECONNRESET)$/)
  // One that is not read to its end may end the connection of a client that still writes, before it has read the answer.
  const raw: readonly (readonly [string, RegExp])[] = [
    ['\0\0\0\0', /^HTTP\/1.1 400 /],
    ['GET\r\n\r\n', /^HTTP\/1.1 400 /],
    ['hello there\n\n', /^HTTP\/1.1 400 /],
    [`GET / HTTP/1.1\r\nHost: x\r\nA: ${'x'.repeat(100_000)}\r\n\r\n`, /^(HTTP\/1.1 431 |$)/],
    [`GET / HTTP/1.1\r\nHost: x\r\n${'A: x\r\n'.repeat(50_000)}\r\n`, /^(HTTP\/1.1 431 |$)/],
    [`GET /${'x'.repeat(100_000)} HTTP/1.1\r\nHost: x\r\n\r\n`, /^(HTTP\/1.1 (431|414) |$)/],
    [
      'POST /v1/projects/up HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n',
      /^HTTP\/1.1 400 /,
    ],
    ['POST /v1/projects/up HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n', /^(HTTP\/1.1 400 |$)/],
    ['CONNECT elsewhere:443 HTTP/1.1\r\nHost: x\r\n\r\n', /^(HTTP\/1.1 4\d\d |$)/],
  ]
  for (const [words, answer] of raw) {
    for (const address of [api, proxy]) {
      const mute = await Mute.open(address, words.replace('Host: x', `Host: ${host}`))
      mute?.socket.end()
      const said = (await mute?.rest()) ?? ''
      t.match(
        said.slice(0, 100),
        answer,
        `${'path' in address ? 'socket' : 'proxy'}: ${JSON.stringify(words.slice(0, 60))}`,
      )
    }
  }
  // Read to its end, it is answered for sure. The proxy's heads may be larger than what one read takes.
  const one = await Mute.open(api, `GET / HTTP/1.1\r\nHost: x\r\nA: ${'x'.repeat(70_000)}\r\n\r\n`)
  t.match(await one?.rest(), /^HTTP\/1.1 431 /)
  await target.serves(t, 'after all of them')
  await target.over(t)
})

onHost(
  'serves others during 10,000 idle connections and half requests',
  async (t, machine) => {
    const target = await Target.start(machine, 'quiet.mjs')
    const { api, proxy, host } = target
    const kinds: readonly (readonly [string, number, string | Buffer])[] = [
      ['idle', 10_000, ''],
      ['half a head', 2000, `GET /v1/ping HTTP/1.1\r\nHost: ${host}\r\nA: `],
      [
        'half a body',
        1000,
        `POST /v1/projects/up HTTP/1.1\r\nHost: ${host}\r\nContent-Type: application/json\r\nContent-Length: 3000000\r\n\r\n{"path": "${'x'.repeat(100_000)}`,
      ],
    ]
    for (const [kind, count, words] of kinds) {
      for (const [name, address] of [
        ['socket', api],
        ['proxy', proxy],
      ] as const) {
        // On macOS the proxy keeps descriptors for starting programs.
        const some = machine.os === 'darwin' && name === 'proxy' ? Math.min(count, 4000) : count
        const mutes = await Mute.many(some, address, words)
        await target.serves(t, `${some} times ${kind} at the ${name}:`)
        for (const mute of mutes) mute.close()
      }
    }
    await target.over(t)
  },
  { timeout: 300_000 },
)

// What glibc keeps is given back by a module for Linux alone.
on('linux', 'serves others during 1,500 TLS connections', async (t, machine) => {
  const target = await Target.start(machine, 'quiet.mjs')
  const port = await target.box.https()
  for (let round = 0; round < 2; round++) {
    const sockets: TLSSocket[] = []
    while (sockets.length < 1500) {
      const some = Array.from({ length: 100 }, () => agreed(port, target.host.replace(/:.*/, '')))
      sockets.push(...(await Promise.all(some)))
    }
    t.ok(target.look().memory > target.before.memory + secureLeftMore, 'they take something')
    for (const socket of sockets) socket.destroy()
    await until('it to be given back', () => target.look().memory < target.before.memory + secureLeftMore, 30_000)
  }
  await target.over(t)
})

/** A connection that has agreed on HTTP/2, and says nothing. */
async function agreed(port: number, servername: string): Promise<TLSSocket> {
  const socket = connectTls({ host: '127.0.0.1', port, servername, rejectUnauthorized: false, ALPNProtocols: ['h2'] })
  await once(socket, 'secureConnect')
  return socket.on('error', () => {})
}

onHost(
  'frees memory of clients that do not read or disconnect',
  async (t, machine) => {
    const target = await Target.start(machine, 'chatty.mjs')
    const { api, proxy, host, folder } = target
    const rate = async () => {
      const count = async () => ({ count: Number((await target.busy()).body), at: performance.now() })
      const from = await count()
      await until('it to print', async () => (await count()).at - from.at > 1000)
      const to = await count()
      return (to.count - from.count) / (to.at - from.at)
    }
    const alone = await rate()
    const get = (path: string) => `GET ${path} HTTP/1.1\r\nHost: ${host}\r\n\r\n`
    const logs = get(`/v1/logs?path=${folder}&follow=true`)
    const mutes = [
      ...(await Mute.many(100, api, logs)),
      ...(await Mute.many(100, api, get('/v1/events'))),
      ...(await Mute.many(20, proxy, get('/big'))),
    ]
    await target.serves(t, 'with 220 of them')
    const besides = await rate()
    t.comment(`${Math.round(alone)} and ${Math.round(besides)} lines a ms`)
    t.ok(besides > alone / 3, `a service prints on at its own rate: ${(besides / alone).toFixed(2)} of it`)
    await target.serves(t, 'later')
    for (const mute of mutes) mute.close()
    for (let round = 0; round < 5; round++) {
      const some = [...(await Mute.many(100, api, logs)), ...(await Mute.many(50, proxy, get('/big')))]
      for (const mute of some) mute.socket.resume()
      await target.serves(t, `round ${round}:`)
      for (const mute of some) mute.close()
    }
    await target.over(t)
  },
  { timeout: 300_000 },
)

onHost('answers 1,000 concurrent requests', async (t, machine) => {
  const target = await Target.start(machine, 'quiet.mjs')
  const replies = await Promise.all(Array.from({ length: 1000 }, () => target.status()))
  t.same([...new Set(replies.map(({ status }) => status))], [200])
  t.ok(
    replies.every(({ body }) => JSON.parse(body).services.length === 2),
    'all get all events',
  )
  const pages = await Promise.all(Array.from({ length: 1000 }, () => target.calm()))
  t.same([...new Set(pages.map(({ status }) => status))], [200])
  const ping = 'GET /v1/ping HTTP/1.1\r\nHost: x\r\n'
  const piped = await Mute.open(target.api, `${`${ping}\r\n`.repeat(999)}${ping}Connection: close\r\n\r\n`)
  t.equal((await piped?.rest())?.match(/"pong":true/g)?.length, 1000, '1,000 one after the other on one connection')
  await target.serves(t, 'after that')
  await target.over(t)
})

onHost('answers a malformed request to the API with an error in JSON', async (t, machine) => {
  const target = await Target.start(machine, 'quiet.mjs')
  const sent: [text: string, status: number][] = [
    ['GARBAGE\r\n\r\n', 400],
    ['GET /v1/ping HTTP/1.2\r\nHost: x\r\n\r\n', 400],
    ['CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n', 404],
    [`GET /v1/ping HTTP/1.1\r\nHost: x\r\nX: ${'y'.repeat(70_000)}\r\n\r\n`, 431],
  ]
  for (const [text, status] of sent) {
    const mute = await Mute.open(target.api, text)
    const [head = '', body = ''] = (await mute?.rest())?.split('\r\n\r\n') ?? []
    t.match(head, new RegExp(`^HTTP/1.1 ${status} `))
    t.match(JSON.parse(body), { error: { code: 'REQUEST_INVALID', message: String } })
  }
  for (let i = 0; i < 50; i++)
    for (const [text] of sent) {
      const left = connect(target.api, () => {
        left.write(text)
        left.destroy()
      })
      await once(left, 'close')
    }
  await target.serves(t, 'after that')
  await target.over(t)
})

/** A full queue of connections is not the daemon's refusal: the CLI tries again, too. */
async function retried<T>(attempt: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await attempt()
    } catch (error) {
      if (systemCode(error) !== 'EAGAIN') throw error
      await new Promise(wake => setTimeout(wake, 10))
    }
  }
}
