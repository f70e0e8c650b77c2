import t from 'tap'
import { accountOf } from '../../../plugins/postgres/server/account.ts'

t.test('where nothing can run a server for root, the reason and what to do are those of the system', async t => {
  const { PATH } = process.env
  t.teardown(() => {
    process.env['PATH'] = PATH
  })
  process.env['PATH'] = t.testdir()
  await t.rejects(accountOf({ uid: 0, os: 'darwin' }), {
    code: 'SPAWN_FAILED',
    message: 'PostgreSQL does not run as root, and locald runs as root',
    hint: /without sudo/,
  })
  await t.rejects(accountOf({ uid: 0, os: 'linux' }), { code: 'SPAWN_FAILED', hint: /util-linux/ })
  t.strictSame(await accountOf({ uid: 501, os: 'darwin' }), { prefix: [], owner: undefined })
})
