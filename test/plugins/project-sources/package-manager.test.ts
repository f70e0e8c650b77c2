import { execFileSync } from 'node:child_process'
import { chownSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { packageManagerOf } from '../../../plugins/project-sources/package-manager.ts'

t.test('finds the package manager by package.json, lock files and owners', async t => {
  const dir = t.testdir({
    pnpm: { 'pnpm-lock.yaml': '', 'package-lock.json': '' },
    yarn: { 'yarn.lock': '' },
    bun: { 'bun.lockb': '' },
    npm: { 'package-lock.json': '' },
    none: {},
    repo: {
      '.git': {},
      'package.json': '{"packageManager":"yarn@4.1.0+sha224.x"}',
      packages: { web: {}, own: { 'package-lock.json': '' } },
    },
    locked: { '.git': '', 'pnpm-workspace.yaml': '', 'package.json': 'no JSON', web: {} },
    pipe: { '.git': '', web: {} },
  })
  execFileSync('mkfifo', [join(dir, 'pipe', 'package.json')])
  const of = (folder: string, manifest: unknown = {}) => packageManagerOf(manifest, join(dir, folder))
  for (const name of ['pnpm', 'yarn', 'bun', 'npm']) t.equal(of(name), name, `${name}'s lock file`)
  t.equal(of('none'), 'npm')
  t.equal(of('yarn', { packageManager: 'pnpm@9.15.0' }), 'pnpm', 'packageManager goes before a lock file')
  t.equal(of('none', { packageManager: 'bun' }), 'bun')
  t.equal(of('none', { devEngines: { packageManager: { name: 'pnpm', onFail: 'error' } } }), 'pnpm')
  t.equal(of('none', { devEngines: { packageManager: [{ name: 'vlt' }, { name: 'yarn' }] } }), 'yarn')
  t.equal(of('pnpm', { devEngines: { packageManager: { name: 'vlt' } } }), 'pnpm')
  t.throws(
    () => of('none', { packageManager: 'constructor@1' }),
    /unsupported packageManager: use one of npm, pnpm, yarn, bun/,
  )
  t.equal(of('repo/packages/web'), 'yarn', 'that of the workspace')
  t.equal(of('repo/packages/own'), 'npm', 'the nearest')
  t.equal(of('locked/web'), 'pnpm')
  t.equal(of('pipe/web'), 'npm', 'a pipe is not waited for')
  if (process.getuid?.() !== 0) return
  const theirs = 65_533
  for (const file of ['locked/.git', 'repo/package.json']) chownSync(join(dir, file), theirs, theirs)
  t.equal(of('locked/web'), 'npm', 'another user’s repository above is none')
  t.equal(of('repo/packages/web'), 'npm', 'nor does another user’s file in one of ours count')
  writeFileSync(join(dir, 'repo/packages/web/package.json'), '{}')
  chownSync(join(dir, 'repo/packages/web/package.json'), theirs, theirs)
  t.equal(of('repo/packages/web'), 'yarn', 'but for their package')
})
