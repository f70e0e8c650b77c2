import { onHost } from './suite.ts'

/** Ignores $PORT, as the servers of most frameworks do: takes the first free port from 5173 on, and prints its URL. */
const server = `import { createServer } from 'node:http'
const listen = port => {
  const server = createServer(({ url }, response) => response.end(\`\${process.env.NAME} at \${port}, api at \${process.env.API_URL}\`))
  server.once('error', () => listen(port + 1))
  server.listen(port, '127.0.0.1', () => process.env.QUIET || console.log(\`  Local:   http://localhost:\\x1b[1m\${port}\\x1b[22m/\`))
}
listen(5173)
`

onHost('a service that ignores $PORT', async (t, machine) => {
  const sandbox = machine.sandbox()
  const files = (name: string) => ({
    'locald.toml': `[project]\nname = "${name}"
[services.web]\ncommand = "node server.mjs"\nenv = { NAME = "web", API_URL = "\${services.api.url}" }\ndepends_on = ["api"]
[services.api]\ncommand = "exec node server.mjs"\nenv = { NAME = "api", QUIET = "1" }\n`,
    'server.mjs': server,
  })

  await t.test('is ready and served where it listens, as are those that refer to it', async t => {
    const folders = ['one', 'two'].map(name => sandbox.project(name, files(name)))
    for (const events of await Promise.all(folders.map(folder => sandbox.up(folder)))) {
      const warnings = events.flatMap(each => (each.event === 'warning' ? each.message : []))
      t.equal(warnings.length, 2)
      for (const each of warnings) t.match(each, /^(?:web|api) listens on port \d+, not on \$PORT \(\d+\): using \d+$/)
    }
    for (const [at, name] of ['one', 'two'].entries()) {
      const views = await sandbox.status(folders[at])
      for (const view of views) t.match(view, { status: 'running', health: 'healthy', reason: null }, view.key)
      const [web, api] = ['web', 'api'].map(service => views.find(view => view.name === service)?.port)
      const text = `web at ${web}, api at http://127.0.0.1:${api}`
      t.equal((await sandbox.get(`${name}.localhost`)).body, text)
      t.match((await sandbox.get(`api.${name}.localhost`)).body, `api at ${api}`)
    }
  })

  await t.test('stays there under the next daemon, and is found again at a restart', async t => {
    const folder = sandbox.project('three', files('three'))
    await sandbox.up(folder)
    const ports = async () => (await sandbox.status(folder)).map(({ name, port }) => ({ name, port }))
    const before = await ports()
    const { body } = await sandbox.get('three.localhost')
    await sandbox.ok(['server', 'restart'], { cwd: folder })
    t.strictSame(await ports(), before)
    t.equal((await sandbox.get('three.localhost')).body, body)
    await sandbox.ok(['restart', 'web'], { cwd: folder })
    t.match((await sandbox.get('three.localhost')).body, /^web at \d+, /)
    t.match(await sandbox.service(folder, 'web'), { status: 'running', health: 'healthy' })
  })

  await t.test('is not ready where its file has a port', async t => {
    const folder = sandbox.project('four', {
      'locald.toml': `[project]\nname = "four"\n[services.web]\nport = 18099\ncommand = "exec node server.mjs"\nready_timeout = 3\n`,
      'server.mjs': server,
    })
    const { code, stderr } = await sandbox.run(['up'], { cwd: folder })
    t.not(code, 0)
    t.match(stderr, /web listens on port \d+, not on \$PORT \(18099\)/)
  })
})
