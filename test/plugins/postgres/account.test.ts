import t from 'tap'
import { findAccount } from '../../../plugins/postgres/server/account.ts'

t.test('fails for root with a reason and hint of the system where setpriv is missing', async t => {
  const { PATH } = process.env
  t.teardown(() => {
    process.env['PATH'] = PATH
  })
  process.env['PATH'] = t.testdir()
  await t.rejects(findAccount({ uid: 0, os: 'darwin' }), {
    code: 'SPAWN_FAILED',
    message: 'PostgreSQL does not run as root, and locald runs as root',
    hint: /without sudo/,
  })
  await t.rejects(findAccount({ uid: 0, os: 'linux' }), { code: 'SPAWN_FAILED', hint: /util-linux/ })
  t.strictSame(await findAccount({ uid: 501, os: 'darwin' }), { prefix: [], owner: undefined })
})
