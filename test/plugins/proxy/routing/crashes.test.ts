import t from 'tap'
import { Crashes } from '../../../../plugins/proxy/routing/crashes.ts'
import { boot } from '../lib/boot.ts'
import { FakeCatalog } from '../lib/catalog.ts'
import { get } from '../lib/client.ts'
import { at, raw } from '../lib/services.ts'
import { eventually } from '../lib/wait.ts'

const navigation = { accept: 'text/html,application/xhtml+xml,*/*;q=0.8', 'sec-fetch-mode': 'navigate' }

t.test('requests that crash their service', async t => {
  await t.test('are not retried by both the proxy and its page', async t => {
    const { port, catalog } = await boot(t, { limits: { progress: 30, poll: 30 } })
    const seen: string[] = []
    let isBack = true
    const service = await raw(t, socket => {
      socket.on('data', data => {
        const [line = ''] = data.toString('latin1').split(' HTTP')
        seen.push(line)
        if (!line.includes('/die')) return void socket.end('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok')
        const restarts = seen.filter(line => line.includes('/die')).length
        const reason = `exited with code 7; restarting in 0.1 s (attempt ${restarts} of 5)`
        catalog.set('shop:web', { status: 'restarting', restarts, reason })
        socket.destroy()
        if (isBack) setImmediate(() => catalog.set('shop:web', { ...at(service.port), reason: null }))
      })
    })
    const begin = () => {
      catalog.set('shop:web', { status: 'waiting', restarts: 0, reason: null })
      catalog.set('shop:web', at(service.port))
      seen.length = 0
    }
    const visit = () => get(port, 'shop.localhost', '/die?x', { headers: navigation })
    begin()
    isBack = false
    const page = await visit()
    t.match([page.status, page.header('x-locald')], [503, 'starting'], 'the page waits for the service')
    isBack = true
    catalog.set('shop:web', { ...at(service.port), reason: null })
    const reloaded = await visit()
    t.match([reloaded.status, reloaded.header('x-locald')], [502, 'crashed'])
    t.match(reloaded.body, 'shop:web crashed twice on GET /die: exited with code 7')
    t.notMatch(reloaded.body, '?x', 'a query may hold secrets')
    t.strictSame(seen, ['GET /die?x', 'GET /die?x'])
    await eventually(() => catalog.get('shop:web')?.status === 'running', 'it recovers')
    t.equal((await get(port, 'shop.localhost', '/other', { headers: navigation })).body, 'ok', 'others are served')
    t.equal((await visit()).status, 502, 'a manual reload tries again')
    t.equal(seen.length, 4, 'which is one crash')

    begin()
    t.equal((await visit()).status, 502, 'with a restart that is quick')
    t.equal(seen.length, 2, 'and with a new run, perhaps of other code')
    for (const method of ['POST', 'PUT', 'DELETE']) {
      for (const body of method === 'DELETE' ? [''] : ['', 'x']) {
        await eventually(() => catalog.get('shop:web')?.status === 'running', 'it recovers')
        begin()
        const got = await get(port, 'shop.localhost', '/die', { method, body })
        t.match(JSON.parse(got.body).error.message, `shop:web crashed on ${method} /die: exited with code 7`)
        t.strictSame(seen, [`${method} /die`], 'is never retried')
      }
    }
  })
})

t.test('does not count a restart after a file change as a crash', async t => {
  const catalog = new FakeCatalog()
  const crashes = new Crashes()
  catalog.on(event => crashes.handle(event))
  catalog.set('shop:web', { restarts: 2 })
  const begun = performance.now()
  // As the kernel does: it counts the restart once it has begun.
  catalog.set('shop:web', { status: 'restarting', reason: 'a.js changed' })
  catalog.set('shop:web', { status: 'waiting', restarts: 0, reason: null })
  catalog.set('shop:web', { restarts: 3 })
  catalog.set('shop:web', { status: 'running' })
  t.equal(crashes.since('shop:web', begun), undefined)
  catalog.set('shop:web', { status: 'restarting', restarts: 4, reason: 'exited with code 7; restarting in 0.1 s' })
  t.equal(crashes.since('shop:web', begun), 'exited with code 7')
  t.equal(crashes.run('shop:web'), 1)
})
