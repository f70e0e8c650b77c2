import t from 'tap'
import { FakeDaemon, json } from '../fake-daemon.ts'

t.test('prints the cause and its steps, for a project of each service', async t => {
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
    response.end(JSON.stringify({ key: '', text: `${query.get('service')} is well`, because: [] }))
  })
  t.equal((await daemon.run(['why', 'shop'])).stdout, 'shop:web is well\nshop:db is well\n', 'all of a project')
  t.equal((await daemon.run(['why', 'shop', '--json'])).stdout.split('\n').length, 3, 'one object a line')
})
