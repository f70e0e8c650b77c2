import { once } from 'node:events'
import { connect as connectTls, type TLSSocket } from 'node:tls'
import { Mute } from '../lib/raw-http.ts'
import { until } from '../lib/running.ts'
import { secureLeftMore, Target } from './hostile-target.ts'
import { on, onHost } from './suite.ts'

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
