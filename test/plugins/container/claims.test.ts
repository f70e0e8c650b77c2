import t from 'tap'
import { Claims } from '../../../plugins/container/claims.ts'

t.test('a container is claimed until it is removed, whatever happens to the daemon', async t => {
  const folder = t.testdir()
  const claims = new Claims(folder)
  t.same(await claims.list(), [], 'no folder yet')
  await claims.add({ container: 'locald-shop-db-aaaaaa', engine: 'podman' })
  await claims.add({ container: 'locald-shop-web-aaaaaa', engine: 'docker' })
  await claims.remove('locald-shop-db-aaaaaa')
  await claims.remove('another')
  t.same(await new Claims(folder).list(), [{ container: 'locald-shop-web-aaaaaa', engine: 'docker' }])
})
