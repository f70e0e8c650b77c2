import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  realpath,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import t, { type Test } from 'tap'
import { findProject, loadProject } from '../../../kernel/config/load.ts'
import { LocaldError } from '../../../kernel/errors.ts'
import { isStillAt, realPath, realPathIfAny, realPathNow } from '../../../kernel/lib/real-path.ts'
import { projectAt } from '../../../kernel/projects/selectors.ts'
import { isWorktree, repositoryOf, worktreeIn } from '../../../kernel/registry/git-worktree.ts'
import { Registry } from '../../../kernel/registry/registry.ts'
import { code, sourcesOf } from '../../lib/sources.ts'

const silent = { info() {}, warn() {}, error() {} }

/** A name as APFS compares it (Apple File System Reference, "Case Folding" and "Normalization"). */
function folded(name: string): string {
  return name.normalize('NFD').toLowerCase()
}

/**
 * What realpath(3) of macOS says on APFS: each name as it is on the disk (Libc-1725, stdlib/FreeBSD/realpath.c, by
 * ATTR_CMN_NAME).
 */
function onApfs(native: (path: string) => string): (path: string) => string {
  const spelled = (path: string): string => {
    if (dirname(path) === path) return path
    const above = native(spelled(dirname(path)))
    const name = readdirSync(above).find(other => folded(other) === folded(basename(path)))
    return join(above, name ?? basename(path))
  }
  return path => native(spelled(path))
}

/** A folder, and this process's realpath(3) as of a Mac until the end of the test. */
function apfs(t: Test): string {
  const [now, later] = [realpathSync.native, realpath.native]
  const asMac = onApfs(path => now(path))
  Object.assign(realpathSync, { native: asMac })
  Object.assign(realpath, {
    native: (path: string, done: (error: unknown, found?: string) => void) => {
      try {
        done(null, asMac(path))
      } catch (error) {
        done(error)
      }
    },
  })
  const root = now(mkdtempSync(join(tmpdir(), 'locald-')))
  t.teardown(() => {
    Object.assign(realpathSync, { native: now })
    Object.assign(realpath, { native: later })
    rmSync(root, { recursive: true, force: true })
  })
  return root
}

function project(folder: string): string {
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'locald.toml'), '')
  return folder
}

t.test('all spellings of a folder resolve to one path', async t => {
  const root = apfs(t)
  const shop = project(join(root, 'Code', 'Caf\u00e9'))
  for (const typed of ['Code/Caf\u00e9', 'code/caf\u00e9', 'CODE/CAFE\u0301', 'code/cafe\u0301']) {
    t.equal(realPathNow(join(root, typed)), shop)
    t.equal(await realPath(join(root, typed)), shop)
    t.equal(
      (await findProject(join(root, typed), { sources: [], names: [] })).root,
      shop,
      'the configuration is of one project',
    )
    t.equal(projectAt(new Map([[shop, 'shop']]), join(root, typed)), 'shop', 'and so is what a command means')
  }
  t.equal(projectAt(new Map([[shop, 'shop']]), join(root, 'code/caf\u00e9/deleted')), 'shop', 'below it, too')
  t.equal(realPathIfAny(join(root, 'none')), undefined)
  await t.rejects(realPath(join(root, 'none')), { code: 'ENOENT' })
})

t.test('the search in parent folders stops at the home folder, however HOME spells it', async t => {
  const root = apfs(t)
  const shop = join(root, 'Ann', 'shop')
  mkdirSync(shop, { recursive: true })
  writeFileSync(join(shop, 'locald.toml'), '[project]\nname = "shop"\n')
  writeFileSync(join(root, '.locald.toml'), 'not TOML')
  symlinkSync(join(root, 'Ann'), join(root, 'home'))
  const types = {
    sources: [],
    find: () => new LocaldError('SERVICE_TYPE_UNSUPPORTED', 'none'),
    names: [],
    defaultType: 'x',
  }
  for (const home of ['Ann', 'ANN', 'home']) {
    const places = { configDir: join(root, 'config'), home: join(root, home), data: join(root, 'data') }
    t.equal((await loadProject(shop, types, places)).plan.name, 'shop', home)
  }
})

t.test('a worktree is found in spite of git’s own spelling of its paths', async t => {
  const root = apfs(t)
  const [shop, branch] = [join(root, 'Shop'), join(root, 'Branch')]
  const gitDir = join(shop, '.git', 'worktrees', 'branch')
  for (const folder of [gitDir, branch]) mkdirSync(folder, { recursive: true })
  writeFileSync(join(branch, '.git'), `gitdir: ${gitDir}\n`)
  writeFileSync(join(gitDir, 'gitdir'), `${join(root, 'BRANCH', '.git')}\n`)
  t.ok(isWorktree(branch))
  t.equal(repositoryOf(branch), join(shop, '.git'))
  t.equal(worktreeIn(branch)?.mainCheckout, shop)
})

t.test('a folder renamed only in case keeps its name and ports', async t => {
  const root = apfs(t)
  const registry = new Registry(join(root, 'data'), silent)
  const shop = project(join(root, 'shop'))
  const wanted = { name: 'shop', path: shop, domain: 'shop.localhost' }
  registry.identify(wanted, ['web'])
  registry.setPorts(shop, { web: 4000 })
  const now = join(root, 'Shop')
  renameSync(shop, now)
  t.equal(realPathNow(shop), now, 'its old name finds it')
  t.notOk(isStillAt(shop))
  t.ok(isStillAt(now))
  t.strictSame(registry.identify({ ...wanted, path: now }, ['web']), { ...wanted, path: now })
  t.equal(registry.port(now, 'web'), 4000)
})

t.test('a path that still exists is unchanged', async t => {
  const root = realpathSync(mkdtempSync(join(tmpdir(), 'locald-')))
  t.teardown(() => rmSync(root, { recursive: true, force: true }))
  for (const name of ['here', 'moved']) mkdirSync(join(root, name))
  symlinkSync(join(root, 'moved'), join(root, 'link'))
  symlinkSync(join(root, 'circle'), join(root, 'circle'))
  t.ok(isStillAt(join(root, 'here')))
  for (const name of ['none', 'link', 'circle', 'here/none']) t.notOk(isStillAt(join(root, name)), name)
  t.ok(isStillAt(join(root, 'x'.repeat(300))), 'true where the system does not report it')
})

/** Follows links only: `realpathSync(…)`, and `realpath` of node:fs; or goes round the one place. */
function resolvesBesides(text: string): boolean {
  const bare = code(text)
  return (
    /\brealpathSync\b(?!\.native)/.test(bare.replaceAll(/^import[^;]*?from '[^']+'$/gms, '')) ||
    /\brealpath\b/.test(bare)
  )
}

t.test('no other file calls realpath', async t => {
  const own = 'kernel/lib/real-path.ts'
  const files = ['kernel', 'plugins', 'cli'].flatMap(sourcesOf).filter(({ file }) => file !== own)
  // The CLI asks for the paths of programs, which identify nothing.
  t.strictSame(
    files
      .filter(({ file, text }) => resolvesBesides(text) && file !== 'cli/commands/server-install.ts')
      .map(({ file }) => file),
    [],
  )
  for (const wrong of ['realpathSync(path)', "import { realpath } from 'node:fs/promises'", 'fs.realpath(path, done)'])
    t.ok(resolvesBesides(wrong), wrong)
  t.notOk(resolvesBesides("import { realpathSync } from 'node:fs'\nconst a = realpathSync.native(path) // realpath(3)"))
})
