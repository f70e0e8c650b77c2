import t from 'tap'
import type { WorktreeService } from '../../../kernel/contract/plugin.ts'
import { findConfigured, findVariable, mentionOf } from '../../../plugins/worktree-leaks/addresses.ts'
import { Places } from '../../../plugins/worktree-leaks/places.ts'
import { service } from './services.ts'

const api = service('shop', 'api', { ports: [20_001, 20_009], hosts: ['api.shop.localhost'] })
const ownApi = service('shop-fix', 'api', { ports: [20_002], hosts: ['api.fix.shop.localhost'] })
const stranger = service('events', 'events', { ports: [20_003], hosts: ['events.localhost'], repository: '/e/.git' })

/** Returns what is found in the environment of a service of the worktree. */
function found(env: Readonly<Record<string, string>>, others: readonly WorktreeService[] = [api, ownApi, stranger]) {
  const web = service('shop-fix', 'web', { env })
  return findConfigured(web, new Places([...others, web])).map(({ variable, place, target }) => [
    variable,
    place,
    target.key,
  ])
}

t.test('an address of another checkout is found as URL, and as host and port', async t => {
  for (const value of [
    'http://localhost:20001',
    'http://127.0.0.1:20001/v1?x=1',
    'http://[::1]:20001',
    'postgres://app:secret@127.0.0.1:20001/shop',
    'jdbc:postgresql://localhost:20001/shop',
    'localhost:20001',
    'http://host.containers.internal:20001',
  ])
    t.same(found({ A: value }), [['A', 20_001, 'shop:api']], value)
  t.same(found({ A: 'redis://localhost:20009' }), [['A', 20_009, 'shop:api']], 'a further port')
  for (const value of ['https://API.shop.localhost/', 'wss://api.shop.localhost:8443/x', 'api.shop.localhost:80'])
    t.match(found({ A: value }), [['A', /api\.shop\.localhost/i, 'shop:api']], value)
})

t.test('nothing else is', async t => {
  for (const value of [
    'http://localhost:20002',
    'http://localhost:20003',
    'http://example.com:20001',
    'http://events.localhost/',
    'https://api.fix.shop.localhost/',
    'https://x.api.shop.localhost/',
    'https://a.example/,http://localhost:20001',
    'see http://localhost:20001',
    '20001',
    '12:20001',
    'http://localhost:200010',
    'http://',
  ])
    t.same(found({ A: value }), [], value)
  for (const name of ['CORS_ORIGIN', 'ALLOWED_HOST', 'COOKIE_DOMAIN', 'REDIRECT_URL'])
    t.same(found({ [name]: 'http://localhost:20001' }), [], name)
})

t.test('a service that is meant to be used is not, nor one of the own checkout at the same port', async t => {
  const env = { A: 'http://localhost:20001' }
  t.same(found(env, [{ ...api, tables: { worktrees: { shared: ['api'] } } }]), [])
  t.equal(found(env, [{ ...api, tables: { worktrees: { shared: ['db'] } } }]).length, 1)
  t.same(found(env, [api, service('shop-fix', 'late', { ports: [20_001] })]), [])
  t.same(found(env, [{ ...api, checkout: '/git/shop-fix' }]), [], 'another project of the same checkout')
})

t.test('the variable and the line with an address are found', async t => {
  const web = service('shop-fix', 'web', { env: { A: '20001', LIST: 'x,http://localhost:20001', API_PORT: '20001' } })
  t.equal(findVariable(web, 20_001), 'LIST')
  t.equal(findVariable({ ...web, env: { LIMIT: '20001', API_PORT: '20001' } }, 20_001), 'API_PORT')
  t.equal(findVariable({ ...web, env: { LIMIT: '20001' } }, 20_001), undefined)
  t.match("fetch('http://127.0.0.1:20001/')", mentionOf(20_001))
  t.notMatch('http://127.0.0.1:200011/', mentionOf(20_001))
  t.notMatch('https://x.api.shop.localhost/', mentionOf('api.shop.localhost'))
  t.match('https://api.shop.localhost/', mentionOf('api.shop.localhost'))
})

t.test('a page is of the service with its host, or with its port on loopback', async t => {
  const places = new Places([api, ownApi, stranger])
  t.equal(places.ofPage('api.fix.shop.localhost:8443')?.key, 'shop-fix:api')
  t.equal(places.ofPage('localhost:20001')?.key, 'shop:api')
  t.equal(places.ofPage('example.com:20001'), undefined)
  t.equal(places.ofPage('localhost'), undefined)
})
