import { execFileSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { readChanges } from '../../../kernel/diagnosis/git/changes.ts'
import { readHead } from '../../../kernel/diagnosis/git/head.ts'
import { runGit } from '../../../kernel/diagnosis/git/run.ts'

const author = ['-c', 'user.name=Ann', '-c', 'user.email=ann@example.org', '-c', 'commit.gpgsign=false']

function git(folder: string, ...args: readonly string[]): string {
  return execFileSync('git', ['-C', folder, ...author, ...args], { encoding: 'utf8', stdio: 'pipe' }).trim()
}

/** Makes a repository with one commit of `api/a.js` and `web/b.js`. */
function repository(t: Test, format: 'sha1' | 'sha256' = 'sha1'): string {
  const folder = t.testdir({ api: { 'a.js': '1\n' }, web: { 'b.js': '1\n' }, '.gitignore': 'ignored\n' })
  git(folder, 'init', '-q', '-b', 'main', `--object-format=${format}`)
  git(folder, 'add', '-A')
  git(folder, 'commit', '-qm', 'first')
  return folder
}

/** Returns the state to compare with, later than all files so far. */
async function now(folder: string) {
  // The clock of files may be coarser than the system's.
  await new Promise(wake => setTimeout(wake, 20))
  const head = readHead(folder)
  const since = { ms: Date.now(), head: head?.commit ?? '', branch: head?.branch ?? '' }
  await new Promise(wake => setTimeout(wake, 20))
  return since
}

t.test('reads the commit that is checked out without git', async t => {
  for (const format of ['sha1', 'sha256'] as const) {
    const folder = repository(t, format)
    const commit = git(folder, 'rev-parse', 'HEAD')
    t.strictSame(readHead(folder), { commit, branch: 'main' }, format)
    t.strictSame(readHead(join(folder, 'api')), { commit, branch: 'main' }, 'from a folder below')
    git(folder, 'pack-refs', '--all')
    t.strictSame(readHead(folder), { commit, branch: 'main' }, 'packed')
    git(folder, 'worktree', 'add', '-q', '-b', 'feature/x', join(folder, 'ignored'))
    t.strictSame(readHead(join(folder, 'ignored')), { commit, branch: 'feature/x' }, 'a linked worktree')
    git(folder, 'checkout', '-q', '--detach')
    t.strictSame(readHead(folder), { commit, branch: '' }, 'detached')
  }
  const outside = t.testdir({ '.git': { HEAD: 'ref: refs/heads/../../../secret\n' }, secret: `${'a'.repeat(40)}\n` })
  t.equal(readHead(outside), undefined, 'a reference does not lead out of the repository')
})

t.test('finds what was edited, deleted, written and committed since', async t => {
  const folder = repository(t)
  writeFileSync(join(folder, 'web', 'b.js'), 'edited before\n')
  const since = await now(folder)
  t.match(await readChanges(folder, since, []), { edited: [], commits: [], branch: undefined }, 'nothing yet')
  writeFileSync(join(folder, 'api', 'a.js'), '2\n')
  writeFileSync(join(folder, 'api', 'new.js'), '1\n')
  writeFileSync(join(folder, 'ignored'), '1\n')
  const edited = await readChanges(folder, since, [])
  t.strictSame(edited?.edited.map(({ path, isNew }) => [path, isNew]).sort(), [
    ['api/a.js', false],
    ['api/new.js', true],
  ])
  writeFileSync(join(folder, 'api', 'a.js'), '1\n')
  t.strictSame(
    (await readChanges(folder, since, []))?.edited.map(({ path }) => path),
    ['api/new.js'],
    'as committed',
  )
  rmSync(join(folder, 'api', 'a.js'))
  t.match((await readChanges(folder, since, []))?.edited[0], { path: 'api/a.js', ms: null }, 'deleted')
  git(folder, 'checkout', '-q', '-b', 'other')
  git(folder, 'add', 'api')
  git(folder, 'commit', '-qm', 'Replace a')
  const after = await readChanges(folder, since, [])
  t.match(after, { edited: [], branch: { before: 'main', now: 'other' } })
  t.match(after?.commits, [{ subject: 'Replace a', files: ['api/a.js', 'api/new.js'] }])
  t.strictSame([...(after?.committed ?? [])], ['api/a.js', 'api/new.js'])
  const below = await readChanges(join(folder, 'web'), since, [])
  t.strictSame([below?.commits, below?.committed.size], [[], 0], 'only what is in the folder')
})

t.test('without a time looks at the named files only', async t => {
  const folder = repository(t)
  writeFileSync(join(folder, 'api', 'a.js'), '2\n')
  writeFileSync(join(folder, 'web', 'b.js'), '2\n')
  t.match((await readChanges(folder, undefined, ['api/a.js', 'no.js']))?.edited, [{ path: 'api/a.js' }])
  const outside = mkdtempSync(join(tmpdir(), 'locald-git-'))
  t.teardown(() => rmSync(outside, { recursive: true }))
  t.equal(await readChanges(outside, undefined, []), undefined, 'not in a repository')
})

t.test('a hostile repository runs nothing', async t => {
  const folder = repository(t)
  const marks = join(t.testdirName, 'marks')
  mkdirSync(marks, { recursive: true })
  const mark = (name: string) => {
    const file = join(t.testdirName, `${name}.sh`)
    writeFileSync(file, `#!/bin/sh\ntouch '${join(marks, name)}'\ncat\n`)
    chmodSync(file, 0o755)
    return file
  }
  const since = await now(folder)
  const config: readonly [string, string][] = [
    ['core.fsmonitor', mark('fsmonitor')],
    ['core.hooksPath', join(folder, 'hooks')],
    ['core.pager', mark('pager')],
    ['pager.log', mark('pager-log')],
    ['filter.evil.clean', mark('clean')],
    ['filter.evil.smudge', mark('smudge')],
    ['filter.evil.process', mark('process')],
    ['diff.external', mark('external')],
    ['diff.evil.command', mark('command')],
    ['diff.evil.textconv', mark('textconv')],
    ['log.showSignature', 'true'],
    ['gpg.program', mark('gpg')],
    ['core.sshCommand', mark('ssh')],
    ['remote.origin.url', `ext::${mark('ext')}`],
    ['remote.origin.promisor', 'true'],
    ['protocol.ext.allow', 'always'],
    ['extensions.partialClone', 'origin'],
    ['core.alternateRefsCommand', mark('alternates')],
    ['credential.helper', mark('credential')],
  ]
  writeFileSync(join(folder, 'api', 'a.js'), 'by a commit\n')
  git(folder, 'commit', '-qam', 'second')
  mkdirSync(join(folder, 'hooks'))
  for (const hook of ['post-index-change', 'fsmonitor-watchman', 'post-checkout', 'reference-transaction']) {
    writeFileSync(join(folder, 'hooks', hook), `#!/bin/sh\ntouch '${join(marks, hook)}'\n`, { mode: 0o755 })
  }
  writeFileSync(join(folder, '.gitattributes'), '* filter=evil diff=evil\n')
  for (const [key, value] of config) git(folder, 'config', key, value)
  writeFileSync(join(folder, 'web', 'b.js'), 'edited\n')
  utimesSync(join(folder, 'api', 'a.js'), new Date(), new Date())
  // A program of the project with the name of git.
  writeFileSync(join(folder, 'git'), `#!/bin/sh\ntouch '${join(marks, 'git')}'\n`, { mode: 0o755 })
  const { PATH } = process.env
  process.env['PATH'] = `.:${folder}:${PATH}`
  t.teardown(() => {
    process.env['PATH'] = PATH
  })
  const changes = await readChanges(folder, since, [])
  t.match(changes?.commits, [{ subject: 'second' }])
  t.ok(changes?.edited.some(({ path }) => path === 'web/b.js'))
  // A missing object, which git would fetch.
  t.equal(await runGit(folder, ['cat-file', '-p', 'a'.repeat(40)]), undefined)
  t.strictSame(readdirSync(marks), [], 'none of its programs ran')
  process.env['PATH'] = PATH
  try {
    git(folder, 'status')
  } catch {
    // A monitor or a filter of this kind fails.
  }
  t.ok(readdirSync(marks).length > 0, 'plain git runs some')
  t.ok(existsSync(join(folder, '.git', 'index')))
})

t.test('a repository of another user is refused', { skip: process.getuid?.() !== 0 && 'needs root' }, async t => {
  const folder = repository(t)
  execFileSync('chown', ['-R', '12345', folder])
  t.equal(await readChanges(folder, undefined, ['api/a.js']), undefined)
})
