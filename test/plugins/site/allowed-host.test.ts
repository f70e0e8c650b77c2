import t from 'tap'
import { isAllowedHost } from '../../../plugins/site/server/allowed-host.ts'

t.test('allows hosts of this machine and of the project only', async t => {
  const hosts = ['127.0.0.1:80', '[::1]:80', 'localhost', 'a.localhost:8443', 'SHOP.test', 'docs.shop.test.']
  for (const host of hosts) t.equal(isAllowedHost(host, 'shop.test'), true, host)
  t.equal(isAllowedHost(undefined, 'shop.test'), true, 'no browser leaves it out')
  for (const host of ['evil.example', 'shop.test.evil.example', 'eshop.test', 'localhost.evil.example:80'])
    t.equal(isAllowedHost(host, 'shop.test'), false, host)
})
