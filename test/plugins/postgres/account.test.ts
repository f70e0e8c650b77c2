import t from 'tap'
import { findAccount } from '../../../plugins/postgres/server/account.ts'

t.test('where nothing can run a server for root, the reason and what to do are those of the system', async t => {
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
