/** `.env` files that git ignores, offered to a linked worktree from the main checkout: with a real git. */
import { existsSync, readFileSync, statSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { PseudoTerminal } from '../lib/pseudo-terminal.ts'
import type { Sandbox } from '../lib/sandbox.ts'
import { on } from './suite.ts'

const toml = `[project]\nname = "shop"\n[services.job]\ntype = "worker"\ncommand = "echo is $TOKEN; exec sleep 100004"\n`

/** Creates a repository whose main checkout has ignored files with variables, and returns what creates worktrees. */
async function repository(box: Sandbox) {
  const main = box.project('shop', { 'locald.toml': toml, '.gitignore': '.env\n.env.*\n!.env.example\n' })
  const git = async (...args: readonly string[]) => {
    const words = ['git', '-c', 'user.name=x', '-c', 'user.email=x@example.com', ...args]
    const ran = await box.spawn(words, { cwd: main }).done
    if (ran.code !== 0) throw new Error(ran.stderr)
  }
  box.write(join(main, '.env.example'), 'TOKEN=\n')
  await git('init', '--quiet')
  await git('add', '.')
  await git('commit', '--quiet', '--message', 'first')
  box.write(join(main, '.env'), 'TOKEN=s3cret\n', 0o600)
  box.write(join(main, '.env.local'), 'TOKEN=local\n', 0o640)
  box.write(join(box.home, 'outside'), 'TOKEN=outside\n')
  symlinkSync(join(box.home, 'outside'), join(main, '.env.linked'))
  const tree = async (name: string) => {
    const folder = join(box.home, name)
    await git('worktree', 'add', '--quiet', '-b', name, folder)
    return folder
  }
  return { main, tree, git }
}

on('linux', 'files in the folders of services are offered, and no file that cannot be copied', async (t, machine) => {
  const box = machine.sandbox()
  const { main, tree, git } = await repository(box)
  for (const folder of ['api', 'a/b/c', 'a/b/c/d']) box.write(join(main, folder, 'kept'), '')
  await git('add', '.')
  await git('commit', '--quiet', '--message', 'services')
  for (const name of ['api/.env', 'a/b/c/.env.local', 'a/b/c/d/.env', 'untracked/.env', '.env.odd\nname', '.envrc'])
    box.write(join(main, name), 'A=1\n')
  box.write(join(main, '.env.huge'), 'x'.repeat(1024 * 1024 + 1))
  box.write(join(main, '.env.folder', 'inside'), 'A=1\n')
  const folder = await tree('nested')
  const offer = `The main checkout has .env, .env.local, a/b/c/.env.local, api/.env, which git ignores: \`locald up --copy-env\``
  t.match((await box.ok(['up', '--detach'], { cwd: folder })).stderr, offer)
  const { stderr } = await box.ok(['up', '--detach', '--copy-env'], { cwd: folder })
  t.match(stderr, `Copied .env, .env.local, a/b/c/.env.local, api/.env from ${main}\n`)
  t.equal(readFileSync(join(folder, 'api/.env'), 'utf8'), 'A=1\n')
  t.equal(existsSync(join(folder, 'untracked')), false)
})

on('linux', 'the first up of a worktree without a terminal prints how to copy .env files', async (t, machine) => {
  const box = machine.sandbox()
  const { main, tree } = await repository(box)
  t.notMatch(await box.up(main), { stderr: /copy-env/ }, 'nothing in the main checkout')
  const plain = await tree('plain')
  t.match(await box.ok(['up', '--detach'], { cwd: plain }), {
    stderr: `The main checkout has .env, .env.local, which git ignores: \`cp ${main}/.env ${main}/.env.local ${plain}\` or \`locald up --copy-env\` copies them\n`,
  })
  t.notOk(existsSync(join(plain, '.env')), 'nothing is copied')
  t.notMatch((await box.ok(['up', '--detach'], { cwd: plain })).stderr, 'copy-env', 'only once')

  t.comment('with --copy-env, which overwrites nothing and follows no link')
  box.write(join(plain, '.env.local'), 'TOKEN=own\n')
  const ran = await box.ok(['up', '--detach', '--copy-env'], { cwd: plain })
  t.match(ran.stderr, `Copied .env from ${main}\n`)
  t.notMatch(ran.stdout + ran.stderr, 's3cret')
  t.equal(readFileSync(join(plain, '.env'), 'utf8'), 'TOKEN=s3cret\n')
  t.equal(statSync(join(plain, '.env')).mode & 0o777, 0o600)
  t.equal(readFileSync(join(plain, '.env.local'), 'utf8'), 'TOKEN=own\n')
  t.notOk(existsSync(join(plain, '.env.linked')))
  t.ok((await box.logs(plain)).some(({ text }) => text === 'is s3cret'))
  t.match(await box.run(['up', '--copy-env'], { cwd: main }), { code: 2, stderr: /is not in a linked git worktree/ })

  t.comment('a link that leads nowhere is left alone')
  const linked = await tree('linked')
  symlinkSync(join(box.home, 'none'), join(linked, '.env'))
  t.match((await box.ok(['up', '--detach', '--copy-env'], { cwd: linked })).stderr, `Copied .env.local from ${main}\n`)
  t.notOk(existsSync(join(box.home, 'none')))

  t.comment('a folder whose .git file names a repository that does not list it gets nothing')
  const foreign = box.project('foreign', { 'locald.toml': toml.replace('shop', 'foreign') })
  box.write(join(foreign, '.git'), readFileSync(join(plain, '.git'), 'utf8'))
  t.match(await box.run(['up', '--copy-env'], { cwd: foreign }), { code: 2, stderr: /not in a linked git worktree/ })
  t.notOk(existsSync(join(foreign, '.env')))
})

on('linux', 'the first up of a worktree asks on a terminal', async (t, machine) => {
  const box = machine.sandbox({ user: 'self' })
  const { main, tree } = await repository(box)
  for (const [name, key, isCopied] of [
    ['agreed', '\r', true],
    ['declined', 'n\r', false],
  ] as const) {
    const folder = await tree(name)
    const terminal = new PseudoTerminal(t, [process.execPath, box.main, 'up', '--detach'], {
      cwd: folder,
      env: box.env,
      columns: 200,
    })
    await terminal.shows(`Copy .env, .env.local from ${main}? [Y/n]`)
    terminal.press(key)
    t.match(await terminal.exit, { code: 0 })
    t.equal(existsSync(join(folder, '.env')), isCopied, name)
    t.notMatch((await box.ok(['up', '--detach'], { cwd: folder })).stderr, 'copy-env', 'it is asked once')
  }
})
