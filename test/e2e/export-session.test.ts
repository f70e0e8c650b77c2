import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { strFromU8, unzipSync } from 'fflate'
import t from 'tap'
import { Sandbox } from '../lib/sandbox.ts'

/** What must not be in a report, by where it comes from. */
const secrets = {
  dotenv: 'sk_live_3f9a8b7c6d5e',
  multiline: 'MIIEvQIBADANBgkqhkiG9w0B',
  fileOfService: 'of-the-env-file-of-api',
  configuration: 'hunter2-in-the-configuration',
  shell: 'ghp_of_the_shell_only',
  urlPassword: 'p4ss-of-the-database',
  header: 'eyJhbGciOiJIUzI1NiJ9.e30.abc',
  query: 'reset-5f3a9c',
}

t.test('exports a session without its secrets', async t => {
  const sandbox = new Sandbox(t)
  const folder = sandbox.project('shop', {
    'locald.toml': `[project]
name = "shop"
[services.web]
command = "exec ${process.execPath} server.mjs"
env_file = ["api.env"]
env = { PLAIN_NAME = "${secrets.configuration}", STAGE = "beta-stage" }
`,
    '.env': `STRIPE_KEY=${secrets.dotenv}
PRIVATE_KEY="-----BEGIN KEY-----
${secrets.multiline}
-----END KEY-----"
DATABASE_URL=postgres://app:${secrets.urlPassword}@localhost/shop
`,
    'api.env': `OTHER=${secrets.fileOfService}\n`,
    'server.mjs': `import { createServer } from 'node:http'
      console.log('line of the log')
      for (const [name, value] of Object.entries(process.env)) console.log(name + '=' + value)
      console.log(encodeURIComponent(process.env.PRIVATE_KEY))
      console.log('GET /cart authorization: Bearer ${secrets.header}')
      console.log('see http://localhost/login?token=${secrets.query}&x=1')
      console.log('postgres://app:${secrets.urlPassword}@localhost/shop')
      createServer((_, response) => response.end('ok')).listen(Number(process.env.PORT), '127.0.0.1')`,
  })
  await sandbox.up(folder, [], { env: { SHELL_TOKEN: secrets.shell } })
  const { url }: { url: string } = JSON.parse((await sandbox.ok(['dashboard', '--json'])).stdout)
  const token = new URL(url).searchParams.get('token') ?? ''
  await sandbox.get('localhost', `/sign-in?token=${token}`)
  await sandbox.get('shop.localhost', `/cart?code=${secrets.query}`, { authorization: `Bearer ${secrets.header}` })

  const file = join(sandbox.home, 'report.zip')
  const ran = await sandbox.ok(['export', 'session', '-o', file], { cwd: folder })
  t.equal(ran.stdout, `${file}\n`)
  t.equal(statSync(file).mode & 0o777, 0o600)
  const entries = Object.entries(unzipSync(readFileSync(file)))
  const texts = new Map(entries.map(([name, bytes]) => [name.replace('locald-session/', ''), strFromU8(bytes)]))
  const names = ['daemon', 'services', 'projects', 'plugins', 'doctor', 'configuration/shop', 'requests']
  t.strictSame(
    [...texts.keys()].toSorted(),
    [...names.map(name => `${name}.json`), 'logs/shop.log', 'daemon.log'].toSorted(),
  )

  await t.test('of which it has no value', async t => {
    for (const [name, text] of texts) {
      for (const [origin, secret] of Object.entries({ ...secrets, token })) {
        // Only values of the configuration and of files are known to be secrets in the output of a service.
        if (name === 'logs/shop.log' && (origin === 'configuration' || origin === 'shell')) continue
        t.notOk(text.includes(secret), `${origin} in ${name}`)
      }
    }
  })

  await t.test('but with what explains a bug', async t => {
    const read = (name: string): unknown => JSON.parse(texts.get(`${name}.json`) ?? '')
    t.match(read('services'), [{ key: 'shop:web', status: 'running' }])
    t.match(read('daemon'), { version: String, node: process.version, http: Number })
    t.match(read('doctor'), { checks: Array })
    t.match(read('requests'), [{ method: 'GET', status: 200 }])
    t.match(texts.get('logs/shop.log'), /^\S+Z shop:web stdout line of the log$/m)
    t.match(texts.get('logs/shop.log'), 'STRIPE_KEY=••••')
    t.match(texts.get('configuration/shop.json'), 'services.web.env.PLAIN_NAME')
    t.ok((texts.get('daemon.log') ?? '').length > 0)
  })

  await t.test('and replaces no file that was not named', async t => {
    const again = await sandbox.run(['export', 'session', '-o', join(sandbox.home, 'missing', 'report.zip')])
    t.match(again, { code: 2, stderr: /cannot write .*\[USAGE\]/ })
    const { file: made }: { file: string } = JSON.parse((await sandbox.ok(['export', 'session', '--json'])).stdout)
    t.match(made, /locald-session-\d{8}-\d{6}\.zip$/)
    t.ok(statSync(made).isFile())
  })
})
