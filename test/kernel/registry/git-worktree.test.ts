import { execFileSync } from 'node:child_process'
import { readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { repositoryOf, slugOf, worktreeBranch, worktreeIn } from '../../../kernel/registry/git-worktree.ts'
import { Registry } from '../../../kernel/registry/registry.ts'
import { folder } from '../../lib/log-model.ts'
import { project, quiet, ref } from './projects.ts'

t.test('names a linked worktree after its branch, and trusts only worktrees that the repository lists', async t => {
  const dir = folder(t)
  const git = (cwd: string, ...args: string[]) =>
    execFileSync('git', ['-c', 'user.name=t', '-c', 'user.email=t@t', ...args], { cwd, stdio: 'pipe' })
  const main = project(dir, 'main')
  git(main, 'init', '-q')
  git(main, 'commit', '-q', '--allow-empty', '-m', 'first')
  git(main, 'worktree', 'add', '-q', '-b', 'feature/New_Cart', join(dir, 'cart'))
  git(main, 'worktree', 'add', '-q', '--detach', join(dir, 'loose'))
  t.equal(worktreeBranch(main), undefined)
  t.equal(worktreeBranch(project(dir, 'cart/deep/inside')), 'feature-new-cart')
  t.equal(worktreeBranch(join(dir, 'loose')), 'loose')
  t.equal(worktreeBranch(dir), undefined)
  writeFileSync(join(project(dir, 'module'), '.git'), 'gitdir: ../main/.git/modules/module\n')
  t.equal(worktreeBranch(join(dir, 'module')), undefined, 'a submodule is none')
  writeFileSync(join(project(dir, 'odd'), '.git'), 'what is this')
  t.equal(worktreeBranch(join(dir, 'odd')), undefined)
  for (const path of ['/etc/passwd', '/dev/zero', join(dir, 'x'.repeat(300)), join(dir, 'nul\0')])
    t.equal(worktreeBranch(path), undefined, `${path.slice(-20)} is in none`)
  const evil = project(dir, 'evil/g/worktrees/y')
  writeFileSync(join(dir, 'evil/.git'), 'gitdir: g/worktrees/y\n')
  execFileSync('mkfifo', [join(evil, 'HEAD')])
  t.equal(worktreeBranch(join(dir, 'evil')), 'y', 'a HEAD that is a pipe is not waited for')
  rmSync(join(evil, 'HEAD'))
  symlinkSync('/dev/zero', join(evil, 'HEAD'))
  t.equal(worktreeBranch(join(dir, 'evil')), 'y', 'nor is an endless one read')
  const registry = new Registry(join(dir, 'data'), quiet)
  t.match(registry.identify(ref(join(dir, 'cart'), 'shop'), []), {
    name: 'shop-feature-new-cart',
    domain: 'feature-new-cart.shop.localhost',
  })
  t.match(registry.identify(ref(main, 'shop'), []), { name: 'shop', domain: 'shop.localhost' })
  const foreign = project(dir, 'foreign')
  const other = new Registry(join(dir, 'other'), quiet)
  other.identify(ref(foreign, 'shop'), [])
  t.match(
    other.identify(ref(join(dir, 'cart'), 'shop'), []),
    { name: 'shop-feature-new-cart', domain: 'shop-feature-new-cart.localhost' },
    "beside the domain of another repository's project",
  )
  const api = project(dir, 'main/api')
  t.equal(registry.identify(ref(api, 'api', 'api.shop.localhost'), []).domain, 'api.shop.localhost', 'one repository')
  const forged = project(dir, 'forged')
  writeFileSync(join(forged, '.git'), readFileSync(join(dir, 'cart', '.git')))
  t.equal(repositoryOf(forged), undefined)
  const gitDir = join(main, '.git', 'worktrees', 'cart')
  t.strictSame(
    worktreeIn(join(dir, 'cart', 'api')),
    { gitDir, mainCheckout: api },
    'the same folder of the main checkout',
  )
  t.strictSame(worktreeIn(forged), { gitDir }, 'a forged worktree has no main checkout')
  t.equal(worktreeIn(main), undefined, 'a main checkout is none')
  t.equal(repositoryOf(join(dir, 'loose')), repositoryOf(main))
  t.equal(
    registry.identify(ref(forged, 'x', 'x.shop.localhost'), []).domain,
    'shop-feature-new-cart.localhost',
    'a forged worktree',
  )
  t.equal(slugOf('--жэ--'), 'copy')
  for (const form of ['NFC', 'NFD']) t.equal(slugOf('Größe Übung'.normalize(form)), 'gro-e-ubung', form)
  t.equal(slugOf(`${'a'.repeat(39)}-b`), 'a'.repeat(39))
})
