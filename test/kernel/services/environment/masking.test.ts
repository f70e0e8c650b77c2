import t from 'tap'
import { mask } from '../../../../kernel/lib/secrets.ts'
import { maskedValues, secretsOf } from '../../../../kernel/services/environment/masking.ts'

t.test('masks secrets by file, by name, in URLs and within other values', async t => {
  const masked = maskedValues([
    { name: 'MODE', value: 'fast', isOfEnvFile: true },
    { name: 'EMPTY', value: '', isOfEnvFile: true },
    { name: 'API_KEY', value: 'sk_live_1', isOfEnvFile: false },
    { name: 'HEADER', value: 'Bearer sk_live_1', isOfEnvFile: false },
    { name: 'DATABASE_URL', value: 'postgres://app:word@db/shop', isOfEnvFile: false },
    { name: 'PORT', value: '3000', isOfEnvFile: false },
  ])
  t.strictSame(Object.fromEntries(masked), {
    MODE: mask,
    API_KEY: mask,
    HEADER: `Bearer ${mask}`,
    DATABASE_URL: `postgres://app:${mask}@db/shop`,
  })
})

t.test(
  'the secrets of an environment are values of secret names and passwords of URLs, unless everyone knows them',
  async t => {
    const env = {
      API_KEY: 'sk_live_1234',
      DATABASE_URL: 'postgres://app:p%40ssword1@localhost/shop',
      REDIS_URL: 'redis://localhost:6379/0',
      SESSION_SECRET: 'changeme',
      SHORT_TOKEN: 'abc',
      PLAIN: 'nothing to hide',
    }
    t.strictSame(secretsOf(env), ['sk_live_1234', 'p%40ssword1', 'p@ssword1'])
  },
)
