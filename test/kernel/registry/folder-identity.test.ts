import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { identifyFolder, isDeleted, isMissing } from '../../../kernel/registry/folder-identity.ts'

/** Creates a folder two levels below another one, and returns both with its identity. */
function place(t: Test) {
  const above = join(t.testdir({ above: { top: { project: {} }, beside: {} } }), 'above')
  const folder = join(above, 'top', 'project')
  const identity = identifyFolder(folder)
  if (identity === undefined) throw new Error('no identity')
  return { above, folder, identity }
}

t.test('a folder was deleted, or one above it', async t => {
  for (const deleted of ['top/project', 'top']) {
    const { above, folder, identity } = place(t)
    t.equal(await isDeleted(folder, identity, undefined), false)
    rmSync(join(above, deleted), { recursive: true })
    t.equal(await isDeleted(folder, identity, undefined), true, deleted)
  }
})

t.test('a folder that was renamed, or one above it, was not deleted', async t => {
  for (const [from, to] of [
    ['top/project', 'top/other'],
    ['top', 'other'],
  ] as const) {
    const { above, folder, identity } = place(t)
    renameSync(join(above, from), join(above, to))
    t.equal(await isDeleted(folder, identity, undefined), false, `${from} to ${to}`)
    rmSync(join(above, to), { recursive: true })
    t.equal(await isDeleted(folder, identity, undefined), true, 'and then deleted')
  }
})

t.test('a later folder is another one, even with the same inode', async t => {
  const { above, folder, identity } = place(t)
  rmSync(folder, { recursive: true })
  mkdirSync(join(above, 'top', 'next'))
  const next = identifyFolder(join(above, 'top', 'next'))
  t.equal(await isDeleted(folder, identity, undefined), true)
  t.notSame(next, identity)
})

t.test('a linked worktree that git has moved was not deleted', async t => {
  const { above, folder, identity } = place(t)
  const root = join(above, 'top')
  const moved = join(above, 'beside', 'deep')
  renameSync(root, moved)
  const gitDir = join(above, 'git')
  mkdirSync(gitDir)
  writeFileSync(join(gitDir, 'gitdir'), `${join(moved, '.git')}\n`)
  mkdirSync(root)
  t.equal(await isDeleted(folder, identity, gitDir), false, 'a project below its root')
  t.equal(await isDeleted(folder, identity, undefined), true, 'only git knows where it is')
  t.equal(await isDeleted(folder, identity, join(gitDir, 'none')), true, 'git has forgotten it')
})

t.test('a folder on a file system that is not mounted was not deleted', async t => {
  const { folder, identity } = place(t)
  rmSync(folder, { recursive: true })
  t.equal(await isDeleted(folder, { ...identity, dev: identity.dev + 1 }, undefined), false)
})

t.test('what cannot be reached is not missing', async t => {
  const folder = t.testdir({ file: '' })
  t.equal(isMissing(join(folder, 'none')), true)
  t.equal(isMissing(join(folder, 'file', 'below')), false, 'ENOTDIR')
  const long = join(folder, 'x'.repeat(300))
  t.equal(isMissing(long), false, 'ENAMETOOLONG')
  writeFileSync(join(folder, 'none'), '')
  t.equal(isMissing(join(folder, 'none')), false)
})
