import { join } from 'node:path'
import t from 'tap'
import { secretsIn } from '../../../kernel/projects/secrets.ts'

t.test('returns the values of all files that no text may have', async t => {
  const folder = t.testdir({
    '.env': 'API_KEY=sk_live_0123\nNODE_ENV=development\nPORT=3000\nSITE=http://shop.localhost:8080\nSHORT=abc\n',
    'more.env': 'DATABASE_URL="postgres://app:p%40ss%20word@db.localhost:5432/app"\n',
  })
  t.strictSame(await secretsIn(folder, ['more.env', 'missing.env']), [
    'sk_live_0123',
    'postgres://app:p%40ss%20word@db.localhost:5432/app',
    'p%40ss%20word',
    'p@ss word',
  ])
  t.strictSame(await secretsIn(join(folder, 'none'), []), [])
})
