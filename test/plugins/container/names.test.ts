import t from 'tap'
import { labelFlags, Names } from '../../../plugins/container/names.ts'

const project = { name: 'shop', path: '/home/me/shop', domain: 'shop.localhost' }
const names = new Names('/home/me/.local/share/locald')

t.test('names are deterministic, and differ between daemons', async t => {
  const other = new Names('/home/me/.local/share/locald/sandboxes/x')
  t.match(names.owner, /^[0-9a-f]{6}$/)
  t.equal(names.container(project, 'db'), `locald-shop-db-${names.owner}`)
  t.equal(names.network(project), `locald-shop-${names.owner}`)
  t.equal(names.volume(project, 'data'), `locald-shop-data-${names.owner}`)
  t.not(other.container(project, 'db'), names.container(project, 'db'))
})

t.test('names of two projects differ, however project and service are divided', async t => {
  const other = { ...project, name: 'shop-api' }
  t.not(names.container(project, 'api-db'), names.container(other, 'db'))
  t.not(names.volume(project, 'api-data'), names.volume(other, 'data'))
  t.not(names.image(project, 'api-db'), names.image(other, 'db'))
  t.not(names.ownVolume(project, 'api-db', '/data'), names.ownVolume(other, 'db', '/data'))
})

t.test("a service's own volume is of one path, and of one image where that matters", async t => {
  const own = (path: string, image?: string) => names.ownVolume(project, 'web', path, image)
  t.equal(own('/app/node_modules'), own('/app/node_modules'))
  t.equal(new Set([own('/a'), own('/b'), own('/a', 'one'), own('/a', 'two')]).size, 4)
})

t.test('a long name is cut, and stays unique: host names have at most 63 bytes', async t => {
  const [one, two] = ['a', 'b'].map(end => names.network({ ...project, name: `${'x'.repeat(62)}${end}` }))
  t.ok((one ?? '').length <= 63)
  t.not(one, two)
})

t.test('labels name owner, project and service', async t => {
  t.same(names.labels(project, 'db', 'service'), {
    'dev.locald.owner': names.owner,
    'dev.locald.project': 'shop',
    'dev.locald.path': '/home/me/shop',
    'dev.locald.service': 'db',
    'dev.locald.kind': 'service',
  })
  t.same(labelFlags({ a: 'b=c d' }), ['--label', 'a=b=c d'])
})
