import t from 'tap'
import { mask } from '../../../../kernel/lib/secrets.ts'
import { Redaction } from '../../../../kernel/services/environment/redaction.ts'

t.test('masks a known secret in each spelling', t => {
  const secret = 'p"a\\s+s w/ord-1'
  const redaction = new Redaction([secret, 'first line\nsecond line'])
  const spellings = [
    ...[secret, JSON.stringify(secret), encodeURIComponent(secret), 'second line'],
    new URLSearchParams({ p: secret }).toString(),
  ]
  for (const text of spellings) t.match(redaction.text(`<${text}>`), mask, text)
  t.equal(redaction.text(`<${JSON.stringify(secret)}>`), `<"${mask}">`)
  t.equal(redaction.text('nothing of it'), 'nothing of it')
  t.end()
})

t.test('masks base64 of a known secret, alone and in a longer text', t => {
  const secret = 'canary-of-base64-ÿ?>'
  const redaction = new Redaction([secret])
  for (const before of ['', 'a', 'ab', 'abc', 'TOKEN=']) {
    for (const encoding of ['base64', 'base64url'] as const) {
      const masked = redaction.text(`data: ${Buffer.from(`${before}${secret}\nPORT=1`).toString(encoding)}`)
      const bytes = Buffer.from(masked.replace('data: ', '').replace(mask, ''), 'base64')
      t.match(masked, mask, `${before} ${encoding}`)
      t.notOk(bytes.includes('canary'), masked)
    }
  }
  t.end()
})

t.test('masks what has the form of a secret, and nothing that only speaks of one', t => {
  const redaction = new Redaction([])
  const masked = [
    ...[
      `ghp_${'a1'.repeat(18)}`,
      'AKIAIOSFODNN7EXAMPLE',
      `sk_live_${'4eC39HqLyjWD'.repeat(2)}`,
      `sk-ant-${'api03x'.repeat(5)}`,
    ],
    `eyJ${'hbGciOiJI'.repeat(2)}.eyJ${'zdWIiOiIx'.repeat(2)}.c2lnbmF0dXJl`,
    ...['Authorization: Bearer abc.def.123', 'GET /x?token=a1b2c3', 'postgres://u:secretword@db/x'],
    ...[
      '{"password":"hunter2222"}',
      "{ apiKey: 'a1b2c3d4' }",
      '"{\\"access_token\\":\\"a1b2c3d4\\"}"',
      'SECRET = "a1b2c3"',
    ],
    ...['password=hunter2222', 'API_KEY=a1b2c3d4 npm start', 'x-api-key: a1b2c3d4'],
  ]
  for (const text of masked) {
    const shown = redaction.text(text)
    t.match(shown, mask, text)
    t.notMatch(shown, /hunter|a1b2c3|a1a1|IOSFODNN|4eC39|api03|abc\.def|secretword|hbGci/, text)
  }
  const plain = [
    ...['Error: invalid token: unexpected character', '{"password":"is required"}', '{"password":"required"}'],
    ...['const key = process.env.API_KEY', 'token=process.env.TOKEN', 'total_tokens=12345', '{"tokens":123456}'],
    ...[
      'STRIPE_SECRET_KEY is not set',
      'DB_PASSWORD=$PASSWORD',
      'exited with code=137',
      'eyJust.a.word',
      'skeleton sk-learn',
    ],
    ...['GET /auth?page=1', 'key: value', 'at Object.<anonymous> (/app/token.js:3:7)', 'token_type=bearer_token'],
  ]
  for (const text of plain) t.equal(redaction.text(text), text)
  t.end()
})

t.test('takes little time for long texts', t => {
  const redaction = new Redaction(Array.from({ length: 200 }, (_, index) => `canary-number-${index}-of-many`))
  for (const part of ['a', 'token', '"', 'password=', 'a:', 'eyJaaaaaaaaaa.', ' ', '\\"']) {
    const before = process.cpuUsage()
    redaction.text(part.repeat(200_000 / part.length))
    const { user, system } = process.cpuUsage(before)
    t.ok(user + system < 2_000_000, `${part}: ${(user + system) / 1000} ms of CPU`)
  }
  t.end()
})
