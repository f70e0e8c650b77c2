import t from 'tap'
import { allowedDomain } from '../../../plugins/exec-runtime/framework-variables.ts'

t.test('allows the domain of a service beside .localhost', async t => {
  t.equal(allowedDomain([]), undefined)
  t.equal(allowedDomain(['shop.localhost', 'web.shop.localhost']), undefined)
  t.equal(allowedDomain(['shop.test', 'web.shop.test']), '.shop.test')
  t.equal(allowedDomain(['web.shop.test']), '.web.shop.test')
  t.equal(allowedDomain(['api.shop.test', 'shop.localhost', 'web.shop.test']), '.shop.test')
  t.equal(allowedDomain(['shop.test', 'store.test']), '.shop.test', 'no top-level domain')
})
