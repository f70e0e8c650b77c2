/** `up` in a folder with a compose file and no locald.toml. */
import { once } from 'node:events'
import { createServer } from 'node:http'
import t from 'tap'
import { ContainerSandbox, noContainers } from '../lib/containers.ts'
import { textOf } from '../lib/containers-project.ts'
import { freePort } from '../lib/ports.ts'
import { Sandbox } from '../lib/sandbox.ts'

/** Answers with what the service at the port CACHE answers. */
const program = `
import { createServer } from 'node:http'
const cache = await fetch('http://127.0.0.1:CACHE')
const text = await cache.text()
createServer((_, response) => response.end('app, ' + text)).listen(process.env.PORT, '127.0.0.1')
`

t.test('runs compose files alone, and beside a Procfile', { skip: noContainers, timeout: 120_000 }, async t => {
  const sandbox = new ContainerSandbox(t)
  const image = await sandbox.image('web')

  await t.test('a compose file alone comes up, without what locald cannot run', async t => {
    const folder = sandbox.project('alone', {
      'compose.yaml': `services:\n  web:\n    image: ${image}\n    ports: ["8080:80"]\n  agent: { image: x, pid: host }\n`,
    })
    const { stdout, stderr } = await sandbox.ok(['up'], { cwd: folder })
    t.match(stdout + stderr, /No locald\.toml: running a service of type container, because of compose\.yaml/)
    t.match(stdout + stderr, /Note: agent is not started: line 5: pid: /)
    t.equal(await textOf((await sandbox.service(folder, 'web')).port), 'hello from web\n')
    await sandbox.ok(['stop'], { cwd: folder })
  })

  await t.test('a Procfile gets the cache of the compose file at its port, once that is ready', async t => {
    const port = await freePort()
    const folder = sandbox.project('beside', {
      Procfile: 'web: node app.mjs\n',
      'app.mjs': program.replace('CACHE', String(port)),
      'compose.yaml': `services:\n  cache:\n    image: ${image}\n    ports: ["\${CACHE_PORT}:80"]\n`,
      '.env': `CACHE_PORT=${port}\n`,
    })
    const { stdout, stderr } = await sandbox.ok(['up'], { cwd: folder })
    t.match(stdout + stderr, /Note: cache of compose\.yaml is started, too, at the port that compose publishes/)
    t.equal((await sandbox.service(folder, 'cache')).port, port)
    t.equal(await textOf((await sandbox.service(folder, 'web')).port), 'app, hello from web\n')
    await sandbox.ok(['stop'], { cwd: folder })
  })

  await t.test(
    'a program uses the cache that runs already; a later up starts that of locald once, and keeps it',
    async t => {
      const port = await freePort()
      const files = {
        Procfile: 'web: node app.mjs\n',
        'app.mjs': program.replace('CACHE', String(port)),
        'compose.yaml': `services:\n  cache:\n    image: ${image}\n    ports: ["${port}:80"]\n`,
      }
      const folder = sandbox.project('again', files)
      const up = async (cwd: string) => {
        const { stdout, stderr } = await sandbox.ok(['up'], { cwd })
        return stdout + stderr
      }
      const close = await serve(port, 'hello from before\n')
      t.match(
        await up(folder),
        new RegExp(`cache is not started: port ${port} is in use by .*process.*, which the program uses\\n`),
      )
      t.equal(await textOf((await sandbox.service(folder, 'web')).port), 'app, hello from before\n')
      await close()
      t.match(await up(folder), /Note: cache of compose\.yaml is started, too/)
      const started = await sandbox.service(folder, 'cache')
      t.match(started, { status: 'running', port })
      t.match(await up(folder), /Note: cache of compose\.yaml is started, too/)
      t.match(await sandbox.service(folder, 'cache'), { status: 'running', startedAt: started.startedAt })

      const worktree = sandbox.project('worktree', files)
      t.match(
        await up(worktree),
        `cache is not started: port ${port} is in use by again:cache, which the program uses; for`,
      )
      t.equal(await textOf((await sandbox.service(worktree, 'web')).port), 'app, hello from web\n')
      await sandbox.ok(['stop'], { cwd: worktree })
      await sandbox.ok(['stop'], { cwd: folder })
    },
  )
})

/** Serves a text at a port, as a container does that others have started; returns what stops it. */
async function serve(port: number, text: string): Promise<() => Promise<void>> {
  const server = createServer((_, response) => response.end(text)).listen(port, '127.0.0.1')
  await once(server, 'listening')
  return async () => {
    server.closeAllConnections()
    server.close()
    await once(server, 'close')
  }
}

t.test('without an engine the rest of the project runs', async t => {
  const sandbox = new Sandbox(t, { env: { PATH: '/nowhere' } })
  const compose = 'services:\n  cache:\n    image: redis\n'
  const beside = sandbox.project('beside', { Procfile: 'job: exec /bin/sleep 1000\n', 'compose.yaml': compose })
  const { stdout, stderr } = await sandbox.ok(['up'], { cwd: beside })
  t.match(stdout + stderr, 'Note: compose.yaml is not used: no container engine is installed, see `locald doctor`')
  t.equal((await sandbox.service(beside, 'job')).status, 'running')
  const ran = await sandbox.run(['up'], { cwd: sandbox.project('alone', { 'compose.yaml': compose }) })
  t.equal(ran.code, 2)
  t.match(ran.stderr, "service 'cache': type 'container' is not available: no container engine is installed")
})
