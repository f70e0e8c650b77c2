import t from 'tap'
import { FakeDaemon, json } from '../fake-daemon.ts'

t.test('prints the account of a daemon without the tree, for a project of each service', async t => {
  const daemon = await FakeDaemon.start(t)
  const because = ['web waits for db', 'db: connection refused on 127.0.0.1:5432, 3 tries']
  daemon.on('GET /v1/services/keys', json({ keys: ['shop:007'] }))
  daemon.on('GET /v1/services/why', json({ key: 'shop:web', text: 'web is waiting for db', because }))
  t.equal((await daemon.run(['why', '007'])).stdout, `web is waiting for db\n  ${because[0]}\n  ${because[1]}\n`)
  t.equal(daemon.last('/v1/services/keys').query.get('service'), '007')
  t.equal(daemon.last('/v1/services/why').query.get('service'), 'shop:007')
  t.match(JSON.parse((await daemon.run(['why', 'web', '--json'])).stdout), { because })
  daemon.on('GET /v1/services/keys', json({ keys: ['shop:web', 'shop:db'] }))
  daemon.on('GET /v1/services/why', (response, { query }) => {
    response.end(JSON.stringify({ key: '', text: `${query.get('service')} is ready`, because: [] }))
  })
  t.equal((await daemon.run(['why', 'shop'])).stdout, 'shop:web is ready\nshop:db is ready\n', 'all of a project')
  t.equal((await daemon.run(['why', 'shop', '--json'])).stdout.split('\n').length, 3, 'one object a line')
})

t.test('prints what a service depends on as a tree, each with its last lines and dependents', async t => {
  const daemon = await FakeDaemon.start(t)
  const step = (name: string, more: object) => ({
    ...{ key: `shop:${name}`, name, status: 'failed', health: null, reason: null },
    ...{ facts: [], lines: [], causes: [], dependents: [] },
    ...more,
  })
  const db = step('db', { reason: 'exited with code 3', facts: ['restarted twice'], lines: ['\x1b[31mboom\x1b[0m'] })
  const seed = step('seed', { causes: [{ ...db, dependents: ['seed', 'api'] }] })
  const cache = step('cache', { status: 'running', health: 'unhealthy', reason: 'connection refused' })
  const tree = step('web', { facts: ['failed since 12:00'], causes: [seed, cache], dependents: ['docs'] })
  daemon.on('GET /v1/services/keys', json({ keys: ['shop:web'] }))
  daemon.on('GET /v1/services/why', json({ key: 'shop:web', text: 'web failed: all of it', because: [], tree }))
  t.equal(
    (await daemon.run(['why', 'web'])).stdout,
    `web failed: seed failed, cache is unhealthy
  failed since 12:00
  dependents: docs
├─ seed failed: db failed
│  └─ db failed: exited with code 3
│       restarted twice
│       | boom
│       dependents: api
└─ cache is unhealthy: connection refused
`,
  )
  const waiting = step('web', {
    status: 'waiting',
    causes: [step('db', { status: 'starting', reason: 'refused, 3 tries' })],
  })
  const text = 'web is waiting for db: refused, 3 tries'
  daemon.on('GET /v1/services/why', json({ key: 'shop:web', text, because: [], tree: waiting }))
  t.equal((await daemon.run(['why', 'web'])).stdout, `${text}\n└─ db is starting\n`, 'the reason is printed once')
})

t.test('prints each service of a project once, below the service that failed because of it', async t => {
  const daemon = await FakeDaemon.start(t)
  const step = (name: string, more: object) => ({
    ...{ key: `shop:${name}`, name, status: 'failed', health: null, reason: null },
    ...{ facts: [], lines: [], causes: [], dependents: [] },
    ...more,
  })
  const db = step('db', { reason: 'exited with code 3', lines: ['boom'] })
  const api = step('api', { causes: [db] })
  const trees: Record<string, object> = {
    ...{ 'shop:db': db, 'shop:api': api },
    ...{ 'shop:web': step('web', { causes: [api, db] }), 'shop:docs': step('docs', { causes: [db] }) },
  }
  daemon.on('GET /v1/services/keys', json({ keys: Object.keys(trees) }))
  daemon.on('GET /v1/services/why', (response, { query }) => {
    const key = query.get('service') ?? ''
    response.end(JSON.stringify({ key, text: '', because: [], tree: trees[key] }))
  })
  t.equal(
    (await daemon.run(['why', 'shop'])).stdout,
    `web failed: api failed, db failed
├─ api failed
│  └─ db failed: exited with code 3
│       | boom
└─ db failed (see above)
docs failed: db failed
└─ db failed (see above)
`,
  )
  t.equal((await daemon.run(['why', 'shop', '--json'])).stdout.split('\n').length, 5, 'one object for each service')
})
