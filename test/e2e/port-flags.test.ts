import { join } from 'node:path'
import t from 'tap'
import type { DetailsAnswer } from '../../kernel/protocol.ts'
import { resolvePaths } from '../../kernel/system/paths.ts'
import { ask } from '../lib/raw-http.ts'
import { Sandbox } from '../lib/sandbox.ts'
import { root } from '../lib/user.ts'

const vite = join(root, 'examples', 'shop', 'node_modules')
const manifest = { name: 'page', type: 'module', scripts: { dev: 'vite' } }
const files = {
  'locald.toml': `[project]
name = "page"
[services.web]
command = "npm run dev"
[services.files]
command = "python3 -m http.server --directory site"
[services.fixed]
port = 18311
command = "python3 -m http.server --bind 127.0.0.1 18311"
`,
  'package.json': JSON.stringify(manifest),
  'index.html': '<title>page</title><script type="module" src="/main.js"></script>',
  'main.js': 'import.meta.hot.accept()',
  'site/index.html': 'a site',
}

t.test('tools that ignore $PORT', async t => {
  const sandbox = new Sandbox(t)
  const { socket } = resolvePaths({ env: sandbox.env })
  const folder = sandbox.project('page', files)
  sandbox.copy(vite, 'page/node_modules')
  const detailsOf = async (service: string): Promise<DetailsAnswer> => {
    const { body } = await ask(
      { path: socket },
      `/v1/services/details?path=${encodeURIComponent(folder)}&service=${service}`,
    )
    return JSON.parse(body)
  }

  await t.test('listen on it by a flag', async t => {
    const events = await sandbox.up(folder)
    t.strictSame(
      events.flatMap(each => (each.event === 'warning' ? each.message : [])),
      [],
    )
    t.match((await sandbox.get('page.localhost')).body, '/@vite/client')
    t.match(await sandbox.get('files.page.localhost'), { status: 200, body: 'a site' })
    for (const name of ['web', 'files', 'fixed']) {
      const { status, health, port } = await sandbox.service(folder, name)
      t.match({ status, health }, { status: 'running', health: 'healthy' }, name)
      const listened = (await sandbox.ok(['run', name, '--', 'sh', '-c', 'echo $PORT'], { cwd: folder })).stdout
      t.equal(listened, `${port}\n`, `${name} is found on no other port`)
    }
  })

  await t.test('show the command that runs', async t => {
    t.match(await detailsOf('web'), {
      command: 'npm run dev -- --port $PORT --strictPort',
      commandReason: 'locald added `-- --port $PORT --strictPort`, as Vite does not read $PORT',
    })
    t.match(await detailsOf('files'), { command: 'python3 -m http.server --directory site $PORT' })
    const written = 'python3 -m http.server --bind 127.0.0.1 18311'
    t.match(await detailsOf('fixed'), { command: written, commandReason: null })
  })

  await t.test('are unchanged for the next `up` and the next daemon', async t => {
    const pids = async () => (await sandbox.status(folder)).map(({ name, pid, port }) => ({ name, pid, port }))
    const before = await pids()
    await sandbox.up(folder)
    t.strictSame(await pids(), before)
    await sandbox.ok(['server', 'restart'], { cwd: folder })
    t.strictSame(await pids(), before)
    t.match((await sandbox.get('page.localhost')).body, '/@vite/client')
  })
})
