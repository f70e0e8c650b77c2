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
  workspaces: {
    'package.json': JSON.stringify({ name: 'all', private: true, workspaces: ['packages/*'] }),
    'packages/web/package.json': scripts({ dev: 'node ../../server.js' }),
    'packages/api/package.json': JSON.stringify({ name: '@it/api', scripts: { dev: 'node ../../server.js' } }),
    'server.js': server,
  },
  'a static folder': { 'index.html': '<h1>Hello</h1>\n' },
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
