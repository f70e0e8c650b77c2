import t from 'tap'
import { isSecretName, mask, maskedValues, maskUrls } from '../../../../kernel/services/environment/masking.ts'

t.test('names of secrets are those that people give them', async t => {
  for (const name of [
    ...['STRIPE_API_KEY', 'apiKey', 'GITHUB_TOKEN', 'TOKENS', 'SECRET_KEY_BASE', 'CLIENT_SECRET', 'SIGNING_KEY', 'KEY'],
    ...['PGPASSWORD', 'DB_PASSWD', 'DB_PASS', 'PASSPHRASE', 'AWS_CREDENTIALS', 'BASIC_AUTH', 'SENTRY_DSN', 'JWT_KEYS'],
  ])
    t.ok(isSecretName(name), name)
  for (const name of [
    'PATH',
    'PWD',
    'SSH_AUTH_SOCK',
    'KEYBOARD',
    'XKB_KEYMAP',
    'MONKEY_BARS',
    'PASSENGER',
    'PORT',
    'USER',
  ])
    t.notOk(isSecretName(name), name)
})

t.test('masks the password of a URL and nothing else of it', async t => {
  t.equal(maskUrls('postgres://app:p%40ss@db:5432/shop?a=b@c'), `postgres://app:${mask}@db:5432/shop?a=b@c`)
  t.equal(maskUrls('redis://:word@db, amqp://a:b@c'), `redis://:${mask}@db, amqp://a:${mask}@c`)
  for (const text of ['http://shop.localhost:8080/a@b', 'http://user@host/', 'a:b@c', '']) t.equal(maskUrls(text), text)
})

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
