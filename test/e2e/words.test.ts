import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { join } from 'node:path'
import t from 'tap'
import { Sandbox } from '../lib/sandbox.ts'

const server = `require('http').createServer((q, s) => s.end('hi')).listen(process.env.PORT, '127.0.0.1')`

/** A project whose \`web\` needs \`db\`, and prints two of its variables. */
function shop(sandbox: Sandbox): string {
  return sandbox.project('shop', {
    'locald.toml': `[project]
name = "shop"
[env]
GREETING = "project"
[services.db]
command = "node server.js"
[services.web]
command = "node web.js"
env_file = "web.env"
depends_on = ["db"]
`,
    'server.js': server,
    'web.js': `const { GREETING, WHO, LAST } = process.env; console.log('Said', GREETING, WHO, LAST)\n${server}`,
    '.env': 'GREETING=dotenv\nWHO=dotenv\nLAST=dotenv\n',
    'web.env': 'LAST=service\n',
    'staging.env': 'GREETING=staging\nLAST=staging\n',
    'sub/x': '',
  })
}

t.test('takes the flags of other tools', async t => {
  const sandbox = new Sandbox(t)
  const folder = shop(sandbox)
  const said = async () => (await sandbox.logs(folder, ['web', '-n', '1'])).map(({ text }) => text)

  t.comment('--no-deps')
  await sandbox.ok(['start', 'web', '-d', '--no-deps', '--wait'], { cwd: folder })
  t.equal((await sandbox.service(folder, 'db')).status, 'stopped')
  t.equal((await sandbox.service(folder, 'web')).status, 'running')

  t.comment('--env-file, until the next up')
  await sandbox.ok(['-C', 'shop', 'up', '-d', '--env-file', join(folder, 'staging.env')])
  t.strictSame(await said(), ['Said staging dotenv service'])
  await sandbox.ok(['restart', 'web'], { cwd: folder })
  t.strictSame(await said(), ['Said staging dotenv service'])
  await sandbox.ok(['server', 'restart'])
  sandbox.write(join(folder, 'staging.env'), 'GREETING=changed\n')
  await sandbox.ok(['wait'], { cwd: folder })
  const restarted = async (): Promise<void> => {
    if ((await said())[0] !== 'Said changed dotenv service') await restarted()
  }
  await Promise.race([restarted(), new Promise((_, reject) => setTimeout(reject, 20_000).unref())])
  const ran = await sandbox.ok(['exec', 'web', 'printenv', 'GREETING'], { cwd: folder })
  t.equal(ran.stdout, 'changed\n')
  t.match((await sandbox.ok(['env', 'web'], { cwd: folder })).stdout, /GREETING +staging\.env:1 +\S/)
  await sandbox.ok(['up', '-d', '-f', 'shop/locald.toml'])
  t.strictSame(await said(), ['Said dotenv dotenv service'])

  t.comment('--env-file of a file that does not exist')
  const program = spawnSync(sandbox.main, ['up', '--env-file', 'missing.env'], {
    cwd: folder,
    env: sandbox.env,
    encoding: 'utf8',
  })
  t.match(program, { status: 2, stderr: /^Error: --env-file: \S+missing\.env not found \[USAGE\]\nHint: / })

  t.comment('-f of other files')
  t.match(await sandbox.run(['up', '-f', 'shop/web.js']), { code: 2, stderr: /Hint: Run `locald up shop`/ })
  sandbox.write(join(folder, 'docker-compose.yml'), '')
  t.match(await sandbox.run(['up', '-f', 'shop/docker-compose.yml']), {
    code: 2,
    stderr: /Hint: Run `locald init --from compose -f shop\/docker-compose\.yml`/,
  })

  t.comment('-C')
  const inside = await sandbox.ok(['-C', 'shop', '-Csub', 'ps'])
  t.match(inside.stdout, /web +Running/)
  t.equal((await sandbox.ok(['ls', '-C', folder])).stdout.split('\n').length, inside.stdout.split('\n').length)
  t.match((await sandbox.ok(['-C', folder, 'exec', 'web', 'pwd'])).stdout, /shop\n$/)

  t.comment('logs -t, -i')
  const times = (await sandbox.ok(['log', 'web', '-ti', '--grep', 'SAID DOTENV'], { cwd: folder })).stdout
  t.match(times, /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} web \| Said dotenv dotenv service\n/)
  const colours = { FORCE_COLOR: '1' }
  t.match((await sandbox.ok(['log', 'web'], { cwd: folder, env: colours })).stdout, '\x1b[')
  t.notMatch((await sandbox.ok(['log', 'web', '--no-color'], { cwd: folder, env: colours })).stdout, '\x1b[')

  t.match((await sandbox.ok(['down', 'shop'])).stdout, 'Stopped web, db')
})

t.test('port: says who listens, and the command that helps', async t => {
  const sandbox = new Sandbox(t)
  const folder = shop(sandbox)
  await sandbox.up(folder)
  const { port } = await sandbox.service(folder, 'web')
  const own = await sandbox.ok(['port', String(port)])
  t.match(own.stdout, new RegExp(`^Port ${port} is in use by the service shop:web: node \\(pid \\d+\\)\n$`))
  t.equal(own.stderr, 'Hint: Run `locald stop shop:web` to free it.\n')

  const other = createServer().listen(0, '127.0.0.1')
  t.teardown(() => other.close())
  await once(other, 'listening')
  const address = other.address()
  const taken = typeof address === 'object' ? (address?.port ?? 0) : 0
  const foreign = JSON.parse((await sandbox.ok(['port', String(taken), '--json'])).stdout)
  t.match(foreign, { port: taken, kind: 'process', service: null })

  const { http } = await sandbox.server()
  t.match((await sandbox.ok(['port', String(http)])).stdout, /is in use by locald's own proxy \(pid \d+\)/)
  await sandbox.ok(['stop'], { cwd: folder })
  const free = await sandbox.ok(['port', String(port)])
  t.equal(free.stdout, `Port ${port} is free; it is assigned to shop:web\n`)
  t.equal(free.stderr, 'Hint: Run `locald up shop:web` to start it.\n')
  t.equal((await sandbox.ok(['port', '7'])).stdout, 'Port 7 is free\n')
})
