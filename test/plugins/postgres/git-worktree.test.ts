import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { mainCheckoutOf } from '../../../plugins/postgres/cluster/git-worktree.ts'

t.test('only a worktree that its repository knows, too, has a main checkout', async t => {
  const root = realpathSync(mkdtempSync(join(tmpdir(), 'locald-')))
  t.teardown(() => rmSync(root, { recursive: true }))
  const [main, tree, stranger] = [join(root, 'main'), join(root, 'tree'), join(root, 'stranger')]
  const gitDir = join(main, '.git', 'worktrees', 'tree')
  for (const folder of [gitDir, tree, stranger]) mkdirSync(folder, { recursive: true })
  for (const folder of [tree, stranger]) writeFileSync(join(folder, '.git'), `gitdir: ${gitDir}\n`)
  t.equal(mainCheckoutOf(tree), undefined, 'nothing leads back')
  writeFileSync(join(gitDir, 'gitdir'), `${join(tree, '.git')}\n`)
  t.equal(mainCheckoutOf(tree), main)
  t.equal(mainCheckoutOf(stranger), undefined, 'it leads back to another')
})
