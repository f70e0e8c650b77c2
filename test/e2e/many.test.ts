import { join } from 'node:path'
import { onHost } from './suite.ts'

function project(name: string, body: string): Record<string, string> {
  const server = `import { createServer } from 'node:http'\ncreateServer((_, response) => response.end(${JSON.stringify(body)})).listen(Number(process.env.PORT), '127.0.0.1')\n`
  return {
    'server.mjs': server,
    'locald.toml': `[project]\nname = "${name}"\n[services.web]\ncommand = "node server.mjs"\n`,
  }
}

onHost('concurrent use', async (t, machine) => {
  await t.test('twenty concurrent ups start one daemon and all succeed', async t => {
    const sandbox = machine.sandbox()
    const folders = ['a', 'b', 'c', 'd'].map(name => sandbox.project(name, project(name, name)))
    const ups = Array.from({ length: 20 }, (_, index) =>
      sandbox.run(['up'], { cwd: folders[index % 4] ?? '', limitMs: 120_000 }),
    )
    for (const { code, stderr } of await Promise.all(ups)) t.equal(code, 0, stderr)
    const daemons = sandbox.processes().filter(({ command }) => command.includes('kernel/daemon.js'))
    t.equal(daemons.length, 1, 'one daemon')
    t.equal((await sandbox.status()).filter(({ status }) => status === 'running').length, 4)
    for (const name of ['a', 'b', 'c', 'd']) t.equal((await sandbox.get(`${name}.localhost`)).body, name)
  })

  await t.test('two folders with the same project name both run', async t => {
    const sandbox = machine.sandbox()
    const first = sandbox.project('first', project('shop', 'the first'))
    const second = sandbox.project('second', project('shop', 'the second'))
    await sandbox.up(first)
    await sandbox.up(second)
    const views = await sandbox.status()
    t.equal(views.length, 2)
    t.equal(new Set(views.map(({ key }) => key)).size, 2, 'their keys differ')
    t.equal(new Set(views.map(({ port }) => port)).size, 2, 'their ports differ')
    t.equal((await sandbox.get('shop.localhost')).body, 'the first')
    t.equal((await sandbox.get('shop-second.localhost')).body, 'the second')
    await sandbox.ok(['stop'], { cwd: first })
    t.equal((await sandbox.get('shop-second.localhost')).body, 'the second', 'stopping one leaves the other')
  })

  await t.test('a git worktree gets its branch as a name', async t => {
    const sandbox = machine.sandbox()
    const main = sandbox.project('main', project('shop', 'main'))
    const git = async (...args: string[]) => {
      const ran = await sandbox.spawn(['git', '-c', 'user.name=x', '-c', 'user.email=x@example.com', ...args], {
        cwd: main,
      }).done
      if (ran.code !== 0) throw new Error(ran.stderr)
    }
    await git('init', '--quiet')
    await git('add', '.')
    await git('commit', '--quiet', '--message', 'first')
    await git('worktree', 'add', '--quiet', '-b', 'fix/The-UI', join(sandbox.home, 'tree'))
    await sandbox.up(main)
    const tree = join(sandbox.home, 'tree')
    await sandbox.up(tree)
    t.equal((await sandbox.service(tree, 'web')).url, `https://fix-the-ui.shop.localhost:${await sandbox.https()}`)
    t.equal((await sandbox.get('fix-the-ui.shop.localhost')).status, 200)
    t.equal((await sandbox.get('shop.localhost')).status, 200)
  })
})
