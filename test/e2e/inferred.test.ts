import t from 'tap'
import { until } from '../lib/running.ts'
import { Sandbox } from '../lib/sandbox.ts'

/** Answers with its name and folder, on its port. */
function server(name: string): string {
  return `import { createServer } from 'node:http'
    createServer((_, response) => response.end('${name} in ' + process.cwd().split('/').at(-1)))
      .listen(Number(process.env.PORT), '127.0.0.1')`
}

function manifest(name: string, scripts: Readonly<Record<string, string>>, more: object = {}): string {
  return JSON.stringify({ name, scripts, ...more })
}

/** Serves as Flask's own command does, as far as locald can see; machines that run the tests have no Flask. */
const flaskStub = `import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
assert sys.argv[1:5] == ['--app', 'app', 'run', '--debug'], sys.argv
class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b'flask')
HTTPServer(('127.0.0.1', int(sys.argv[sys.argv.index('--port') + 1])), Handler).serve_forever()
`

t.test('up runs projects that have no locald.toml', async t => {
  const sandbox = new Sandbox(t)

  await t.test('Python', async t => {
    const folder = sandbox.project('py', {
      'app.py': 'from flask import Flask\n',
      'flask/__init__.py': 'class Flask: pass\n',
      'flask/__main__.py': flaskStub,
    })
    const { stdout, stderr } = await sandbox.ok(['up'], { cwd: folder })
    t.match(stdout, /web +ready/)
    t.match(stderr, 'No locald.toml: running `python3 -m flask --app app run --debug --port $PORT` of app.py\n')
    t.equal((await sandbox.get('py.localhost')).body, 'flask')
    t.match((await sandbox.ok(['up'], { cwd: folder })).stderr, /^No locald.toml: /)
    const { stdout: shown } = await sandbox.ok(['config', 'show', '--provenance'], { cwd: folder })
    t.match(shown, /services\.web\.command.*app\.py/)
    sandbox.write(
      `${folder}/locald.toml`,
      '[project]\nname = "py"\n[services.web]\ncommand = "exec sleep 1000"\ntype = "worker"\n',
    )
    t.notMatch((await sandbox.ok(['up'], { cwd: folder })).stderr, /No locald.toml/)
  })

  await t.test('a workspace of two packages', async t => {
    const folder = sandbox.project('mono', {
      'package.json': manifest('mono', { dev: 'turbo dev' }, { workspaces: ['apps/*', 'packages/*'] }),
      'apps/frontend/package.json': manifest('@mono/frontend', { dev: 'node server.mjs' }),
      'apps/frontend/server.mjs': server('frontend'),
      'apps/api/package.json': manifest('@mono/api', { dev: 'node server.mjs' }),
      'apps/api/server.mjs': server('api'),
      'packages/lib/package.json': manifest('lib', { build: 'tsc' }),
    })
    const { stdout, stderr } = await sandbox.ok(['up'], { cwd: folder })
    t.match(stderr, 'No locald.toml: 2 services of package.json\n')
    t.match(stderr, '  web  running `npm run dev` of apps/frontend/package.json\n')
    t.match(stdout, /api +ready[\s\S]*web +ready/)
    t.equal((await sandbox.get('mono.localhost')).body, 'frontend in frontend')
    t.equal((await sandbox.get('api.mono.localhost')).body, 'api in api')
    const events = await sandbox.up(folder, ['api'])
    t.match(events[0], {
      event: 'project',
      inferred: {
        file: 'package.json',
        services: [{ name: 'api', type: 'exec', command: 'npm run dev', file: 'apps/api/package.json' }],
      },
    })
    // Its own package.json is one of the project's files.
    sandbox.write(`${folder}/apps/api/package.json`, manifest('@mono/backend', { dev: 'node server.mjs' }))
    await until('the renamed service', async () => {
      return (await sandbox.status(folder)).some(({ name, health }) => name === 'backend' && health === 'healthy')
    })
    t.equal((await sandbox.get('backend.mono.localhost')).body, 'api in api')
  })

  await t.test('Procfile.dev', async t => {
    const folder = sandbox.project('proc', {
      'Procfile.dev': 'web: exec node web.mjs\napi: PORT=$PORT exec node api.mjs\njobs: exec sleep 1000\n',
      Procfile: 'web: false\n',
      'web.mjs': server('web'),
      'api.mjs': server('api'),
    })
    await sandbox.ok(['up'], { cwd: folder })
    t.equal((await sandbox.get('proc.localhost')).body, 'web in proc')
    t.equal((await sandbox.get('api.proc.localhost')).body, 'api in proc')
    t.match(await sandbox.service(folder, 'jobs'), { type: 'worker', port: null, status: 'running' })
  })

  await t.test('a folder of files', async t => {
    const folder = sandbox.project('files', { 'index.html': '<h1>files</h1>', '.env': 'SECRET=1\n' })
    const { stderr } = await sandbox.ok(['up'], { cwd: folder })
    t.match(stderr, 'No locald.toml: running a service of type site, because of index.html\n')
    t.match((await sandbox.get('files.localhost')).body, '<h1>files</h1>')
    t.equal((await sandbox.get('files.localhost', '/.env')).status, 404)
  })

  await t.test('what cannot be inferred is named, with a file to write', async t => {
    const folder = sandbox.project('library', { 'go.mod': 'module x\n', 'x.go': 'package x\n' })
    const ran = await sandbox.run(['up'], { cwd: folder })
    t.equal(ran.code, 2)
    t.match(ran.stderr, /go\.mod has no main package at its root, in its folders or in cmd\/ \[CONFIG_NOT_FOUND\]/)
    t.match(ran.stderr, 'Hint: Create a `locald.toml` such as this')
    t.match(
      ran.stderr,
      '[project]\nname = "library"\n\n[services.web]\ncommand = "go run ./cmd/server"\nready_timeout = 300\n',
    )
  })
})
