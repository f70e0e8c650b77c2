import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import net from 'node:net'
import t from 'tap'
import { maxDescriptors } from '../../../../plugins/proxy/listen/descriptor-limit.ts'
import { boot } from '../lib/boot.ts'
import { wire } from '../lib/client.ts'
import { at, serve } from '../lib/services.ts'
import { eventually } from '../lib/wait.ts'

const host = 'Host: shop.localhost\r\n'

t.test('closes connections above the limit at once, and serves new ones below it', async t => {
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
    await eventually(() => readdirSync('/dev/fd').length < open + 30, 'all are closed')
  }
  t.ok(run.log.some(line => /^warn closed a new connection: the limit of \d+ open descriptors is reached$/.test(line)))
  t.match(await wire(t, run.port).send(`GET / HTTP/1.1\r\n${host}Connection: close\r\n\r\n`).end(), /fine$/)
})

t.test('limits descriptors on macOS only', t => {
  t.ok(maxDescriptors('darwin') < 10_240 / 2 + 1)
  t.equal(maxDescriptors('linux'), Number.POSITIVE_INFINITY)
  t.end()
})
