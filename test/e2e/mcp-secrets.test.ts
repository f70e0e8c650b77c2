import t from 'tap'
import { McpClient } from '../lib/mcp.ts'
import { Sandbox } from '../lib/sandbox.ts'

/** What no answer may have, by where it comes from. */
const canaries = {
  dotenv: 'sk_live_canary_dotenv_1',
  envFile: 'canary-of-the-env-file-2',
  configuration: 'canary_in_configuration_3',
  shell: 'ghp_canary_of_shell_4',
  password: 'canary-p4ssword-5',
  header: 'canary.header.token.6',
  query: 'canary-query-7',
  field: 'canary-field-9',
  aws: 'AKIACANARYCANARY1010',
  long: `canary-${'x'.repeat(300)}-8`,
}

const server = `const { createServer } = require('node:http')
for (const [name, value] of Object.entries(process.env)) console.log(name + '=' + value)
console.log('.'.repeat(2400) + process.env.LONG_TOKEN)
console.log('GET /x authorization: Bearer ${canaries.header}')
console.log('see http://localhost/login?token=${canaries.query}')
console.log(JSON.stringify({ user: 'ann', password: '${canaries.field}' }), '${canaries.aws}')
createServer((request, response) => {
  response.setHeader('set-cookie', 'session=' + process.env.API_KEY)
  response.end('ok ' + process.env.DATABASE_URL)
}).listen(process.env.PORT, '127.0.0.1')`

t.test('no answer of a tool has a secret in it', async t => {
  const sandbox = new Sandbox(t, { user: 'self', env: { GITHUB_TOKEN: canaries.shell } })
  const folder = sandbox.project('shop', {
    'locald.toml': `[project]
name = "shop"
[services.web]
command = "exec ${process.execPath} server.cjs"
env_file = ["web.env"]
env = { API_KEY = "${canaries.configuration}", LONG_TOKEN = "${canaries.long}" }
[services.bad]
type = "worker"
restart = "no"
command = "echo failed with $API_SECRET at $DATABASE_URL; exit 3"
`,
    '.env': `API_SECRET=${canaries.dotenv}\nDATABASE_URL=postgres://app:${canaries.password}@localhost/shop\n`,
    'web.env': `PLAIN=${canaries.envFile}\n`,
    'server.cjs': server,
  })
  const agent = await McpClient.start(t, sandbox, folder)
  const answers = [await agent.call('up')]
  await sandbox.get('shop.localhost', `/cart?token=${canaries.query}`, { authorization: `Bearer ${canaries.header}` })
  const calls: readonly (readonly [string, object])[] = [
    ['status', { all: true }],
    ['why', {}],
    ['logs', {}],
    ['logs', { raw: true }],
    ['logs', { grep: '=' }],
    ['run', { service: 'web', command: 'env; echo "$PLAIN" | tr a-z A-Z' }],
    ['run', { service: 'web', command: 'seq 1 3000; env' }],
    ['run', { service: canaries.dotenv, command: 'true' }],
    ['requests', {}],
    ['doctor', {}],
    ['restart', {}],
  ]
  for (const [name, args] of calls) answers.push(await agent.call(name, { ...args }))
  const { data } = await agent.call('requests')
  const [row] = Array.isArray(data['requests']) ? data['requests'] : []
  const { id }: { id: string } = row
  answers.push(await agent.call('requests', { id }), await agent.call('requests', { id, replay: true }))
  const context = (await sandbox.ok(['ai', 'context'], { cwd: folder })).stdout
  const all = [...answers.map(answer => JSON.stringify(answer)), context]
  const seen = all.join('\n')
  for (const [from, canary] of Object.entries(canaries)) {
    // A service of that name was asked for by the caller.
    const found = all.filter(text => text.includes(canary) || text.includes(canary.slice(0, 24)))
    t.strictSame(
      found.map(text => text.slice(0, 200)),
      [],
      from,
    )
  }
  t.match(seen, /API_KEY=••••/, 'names are shown')
  t.ok(context.length < 6000, 'at most 2,000 tokens')
})
