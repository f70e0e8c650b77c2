import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { type Files, Sandbox } from '../lib/sandbox.ts'

const server = "require('node:http').createServer((_, answer) => answer.end('hello')).listen(process.env.PORT)\n"
const scripts = (all: Readonly<Record<string, string>>) => JSON.stringify({ name: 'it', scripts: all })

const projects: Readonly<Record<string, Files>> = {
  'a dev script': { 'package.json': scripts({ dev: 'node "server.js"', start: 'false' }), 'server.js': server },
  'a start script': { 'package.json': scripts({ start: 'node server.js' }), 'server.js': server },
  'a Procfile': {
    Procfile: 'web: node server.js\njobs: echo "a\'b" \\\\ && exec sleep 1000\nother: exec sleep 1000\n',
    'server.js': server,
    '.env': 'LEVEL=debug\n',
  },
}

t.test('init --yes changes nothing of what an up without a file does', async t => {
  const sandbox = new Sandbox(t)
  for (const [title, files] of Object.entries(projects)) {
    await t.test(title, async t => {
      const folder = sandbox.project(title.replaceAll(' ', '-').toLowerCase(), files)
      await sandbox.up(folder)
      const before = await sandbox.status(folder)
      t.ok(before.length > 0)
      await sandbox.ok(['init', '--yes'], { cwd: folder })
      await sandbox.up(folder)
      const identity = (views: typeof before) =>
        views.map(({ key, type, status, port, url, pid, startedAt }) => ({
          key,
          type,
          status,
          port,
          url,
          pid,
          startedAt,
        }))
      t.strictSame(identity(await sandbox.status(folder)), identity(before), 'all services kept running')
      t.match(await sandbox.run(['config', 'check'], { cwd: folder }), { code: 0 })
      await sandbox.ok(['stop'], { cwd: folder })
    })
  }
})

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
  t.match(refused, { code: 2, stderr: /unknown service 'no' \[CONFIG_INVALID\]/ })
  t.equal(readFileSync(file, 'utf8'), text)
  await sandbox.ok(['add', '--worker', '--name', 'jobs', '--', 'exec', 'sleep', '1000'], { cwd: folder })
  t.equal(readFileSync(file, 'utf8'), `${text}\n[services.jobs]\ntype = "worker"\ncommand = "exec sleep 1000"\n`)
  await sandbox.ok(['up', '--detach'], { cwd: folder })
  t.match(await sandbox.service(folder, 'jobs'), { status: 'running', type: 'worker' })
  t.equal((await sandbox.service(folder, 'web')).pid, before.pid)
})

t.test('add without a file keeps what is inferred', async t => {
  const sandbox = new Sandbox(t)
  const folder = sandbox.project('shop', { 'package.json': scripts({ dev: 'node server.js' }), 'server.js': server })
  const ran = await sandbox.ok(['add', 'node', 'server.js'], { cwd: folder })
  t.match(ran.stdout, 'Created locald.toml with the services of package.json')
  t.ok(existsSync(join(folder, 'locald.toml')))
  t.match(JSON.parse((await sandbox.ok(['config', 'show', '--json'], { cwd: folder })).stdout), { project: 'shop' })
})
