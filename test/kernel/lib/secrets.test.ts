import t from 'tap'
import { isSecretName, isSecretParameter, isSecretVariable, mask, maskUrls } from '../../../kernel/lib/secrets.ts'

/** Which names are secret: everywhere, in variables and keys of a configuration, in parameters, or nowhere. */
const everywhere = [
  ...['STRIPE_API_KEY', 'apiKey', 'APIKey', 'X-Api-Key', 'api.key', 'apikey', 'aws_access_key', 'privateKey'],
  ...['GITHUB_TOKEN', 'TOKENS', 'access_token', 'accessToken', 'X-CSRF-Token', 'OAUTH2TOKEN', 'token2'],
  ...['CLIENT_SECRET', 'clientSecret', 'SECRET_KEY_BASE', 'X-Client-Secret', 'secrets'],
  ...['PGPASSWORD', 'password', 'password1', 'passwordConfirmation', 'user[password]', 'user%5Bpassword%5D'],
  ...['DB_PASSWD', 'DB_PASS', 'pass', 'db-pwd', 'pwd2.pwd', 'PASSPHRASE', 'AWS_CREDENTIALS', 'credential'],
  ...['BASIC_AUTH', 'auth', 'Authorization', 'Proxy-Authorization', 'SENTRY_DSN', 'Set-Cookie', 'cookie'],
  ...['SIGNING_KEY', 'jwt', 'otp', 'sig', 'X-Amz-Signature', 'sessionId', 'session_id'],
]
const inVariables = ['KEY', 'key', 'STRIPE_KEY', 'JWT_KEYS', 'MYKEY', 'AWS_ACCESS_KEY_ID', 'sshKey']
const inParameters = ['code', 'Code']
const nowhere = [
  ...['PATH', 'SSH_AUTH_SOCK', 'KEYBOARD', 'XKB_KEYMAP', 'MONKEY_BARS', 'PASSENGER', 'PORT', 'USER', 'secretary'],
  ...['tokenizer', 'token_type', 'tokenCount', 'token_expires_in', 'passwordChangedAt', 'author', 'signed'],
  ...['country_code', 'error.code', 'design', 'bypass', '', '_', 'name', 'state', 'page'],
]

t.test('names of secrets are those that people give them', async t => {
  const rows = [
    ...everywhere.map(name => ({ name, is: [true, true, true] })),
    ...inVariables.map(name => ({ name, is: [false, true, false] })),
    ...inParameters.map(name => ({ name, is: [false, false, true] })),
    ...nowhere.map(name => ({ name, is: [false, false, false] })),
  ]
  for (const { name, is } of rows)
    t.strictSame([isSecretName(name), isSecretVariable(name), isSecretParameter(name)], is, name)
})

t.test("the shell's own folders are none", async t => {
  for (const name of ['PWD', 'OLDPWD']) t.notOk(isSecretVariable(name), name)
  t.ok(isSecretVariable('DB_PWD'))
})

t.test('masks the password of a URL and nothing else of it', async t => {
  t.equal(maskUrls('postgres://app:p%40ss@db:5432/shop?a=b@c'), `postgres://app:${mask}@db:5432/shop?a=b@c`)
  t.equal(maskUrls('redis://:word@db, amqp://a:b@c'), `redis://:${mask}@db, amqp://a:${mask}@c`)
  t.equal(maskUrls('redis://:word@db', '$1'), 'redis://:$1@db')
  for (const text of ['http://shop.localhost:8080/a@b', 'http://user@host/', 'a:b@c', '']) t.equal(maskUrls(text), text)
})

t.test('masks a long text in time of its length', async t => {
  const size = 4 * 1024 * 1024
  for (const text of ['a', 'a:', 'a://', 'a://b:']) {
    const long = text.repeat(size / text.length)
    const begun = performance.now()
    t.equal(maskUrls(long), long)
    t.ok(performance.now() - begun < 20_000, `${text}: ${performance.now() - begun} ms`)
  }
})
