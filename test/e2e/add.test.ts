import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { Sandbox } from '../lib/sandbox.ts'

const server = "require('node:http').createServer((_, answer) => answer.end('hello')).listen(process.env.PORT)\n"

t.test('add is checked by the daemon before it is written, and started by the reload', async t => {
  const sandbox = new Sandbox(t)
  const folder = sandbox.project('shop', {
    'locald.toml': "[project]\nname = 'shop' # mine\n\n[services.web]\ncommand = 'exec node server.js'\n",
    'server.js': server,
  })
  const file = join(folder, 'locald.toml')
  await sandbox.up(folder)
  const before = await sandbox.service(folder, 'web')
  const text = readFileSync(file, 'utf8')
  const refused = await sandbox.run(['add', '--depends-on', 'no', 'sleep', '1'], { cwd: folder })
  t.match(refused, { code: 2, stderr: /cannot add service 'sleep': depends_on\[0\]: unknown service 'no' \[USAGE\]/ })
  t.equal(readFileSync(file, 'utf8'), text)
  await sandbox.ok(['add', '--worker', '--name', 'jobs', '--', 'exec', 'sleep', '1000'], { cwd: folder })
  t.equal(readFileSync(file, 'utf8'), `${text}\n[services.jobs]\ntype = "worker"\ncommand = "exec sleep 1000"\n`)
  await sandbox.ok(['up', '--detach'], { cwd: folder })
  t.match(await sandbox.service(folder, 'jobs'), { status: 'running', type: 'worker' })
  t.equal((await sandbox.service(folder, 'web')).pid, before.pid)
})

t.test('add without a file keeps what is inferred', async t => {
  const sandbox = new Sandbox(t)
  const folder = sandbox.project('shop', {
    'package.json': '{ "scripts": { "dev": "node server.js" } }',
    'server.js': server,
  })
  const ran = await sandbox.ok(['add', 'node', 'server.js'], { cwd: folder })
  t.match(ran.stdout, 'Created locald.toml with the services of package.json')
  t.ok(existsSync(join(folder, 'locald.toml')))
  t.match(JSON.parse((await sandbox.ok(['config', 'show', '--json'], { cwd: folder })).stdout), { project: 'shop' })
})

t.test('service add writes a service of a type, or nothing where the daemon refuses it', async t => {
  const sandbox = new Sandbox(t)
  const rest = '\n[routes]\n"/x" = "web"\n'
  const folder = sandbox.project('shop', {
    'locald.toml': `[project]\nname = "shop"\n\n[services.web]\ncommand = "x"\n${rest}`,
  })
  const file = join(folder, 'locald.toml')
  const service = (...words: string[]) => sandbox.run(['service', 'add', ...words], { cwd: folder })
  t.match(await service('postgres', 'version=17'), { code: 0, stdout: /^Added db to locald\.toml:7\n/ })
  t.match(await service('container', 'image=a/redis:7', 'container_port=6379', 'ports=9001', 'ports=9002'), { code: 0 })
  t.match(await service('exec', 'command=y', 'health_check.type=http', 'health_check.path=/x', '--name', 'api'), {
    code: 0,
  })
  const text = `[project]
name = "shop"

[services.web]
command = "x"

[services.db]
type = "postgres"
version = "17"

[services.redis]
type = "container"
image = "a/redis:7"
container_port = 6379
ports = ["9001", "9002"]

[services.api]
command = "y"
health_check = { type = "http", path = "/x" }

[routes]
"/x" = "web"
`
  t.equal(readFileSync(file, 'utf8'), text)
  const refuse = async (words: readonly string[], code: number, stderr: RegExp) =>
    t.match(await service(...words), { code, stdout: '', stderr }, words.join(' '))
  await refuse(
    ['postgress'],
    2,
    /unknown service type 'postgress' \[SERVICE_TYPE_UNSUPPORTED\]\nHint: Did you mean 'postgres'\?/,
  )
  await refuse(
    ['postgres', 'verson=17'],
    2,
    /cannot add service 'db-2': verson: unknown key; did you mean 'version'\? \[USAGE\]/,
  )
  await refuse(['postgres', 'version=abc'], 2, /cannot add service 'db-2': version: must be one of "13", /)
  await refuse(['exec', 'command=x', 'port=abc'], 2, /cannot add service 'exec': port: must be a number/)
  await refuse(['exec', 'command=x', '--name', 'api'], 2, /service 'api' exists already in .*:17 \[USAGE\]/)
  t.equal(readFileSync(file, 'utf8'), text)
  t.match(await sandbox.run(['config', 'check'], { cwd: folder }), { code: 0 })
})
