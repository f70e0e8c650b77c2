import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'

import { join } from 'node:path'

import t from 'tap'

import type { OpenFolder } from '../../../../kernel/contract/plugin.ts'

import { openFolder } from '../../../../kernel/operations/watch/folder-watcher.ts'
import { PendingChanges } from '../../../../kernel/operations/watch/pending-changes.ts'

import { FolderPolls } from '../../../../plugins/platform-darwin/folder-polls.ts'
import { TreeWatches } from '../../../../plugins/platform-darwin/tree-watches.ts'
import { WatchedProject } from '../../../lib/watched-project.ts'
import { FileEvents } from '../../../plugins/platform-darwin/file-events.ts'

/** Open descriptors of this process. */
function descriptors(): number {
  return readdirSync('/dev/fd').length
}

/** inotify watches of this process (proc_pid_fdinfo(5)); 0 where the system has none. */
function inotifyWatches(): number {
  const folder = '/proc/self/fdinfo'
  if (!existsSync(folder)) return 0
  const texts = readdirSync(folder).map(fd => {
    try {
      return readFileSync(join(folder, fd), 'utf8')
    } catch {
      // That of the listing itself.
      return ''
    }
  })
  return texts.join('').match(/^inotify /gm)?.length ?? 0
}

function trees(events = new FileEvents()): TreeWatches {
  return new TreeWatches(events.watch, new FolderPolls(100))
}

/** Each folder by a watch of its own, as on Linux, and whole trees at once, as on macOS. */
const ways: readonly (readonly [string, () => OpenFolder])[] = [
  ['folders', () => openFolder],
  ['trees', () => trees().open],
]

for (const [way, opener] of ways)
  t.test(`by ${way}`, async t => {
    t.test('watches a file again that is deleted and recreated', async t => {
      const project = new WatchedProject(t, { 'dist/deep/app.js': '1', 'app.yml': '1' })
      await project.watch(t, { patterns: ['dist/**/*.js', 'app.yml'] }, opener())
      rmSync(project.at('dist'), { recursive: true })
      rmSync(project.at('app.yml'))
      t.strictSame(await project.next('app.yml'), ['app.yml', 'dist/deep/app.js'])
      project.write('dist/deep/app.js', '2')
      project.write('app.yml', '2')
      t.strictSame(await project.next('app.yml'), ['app.yml', 'dist/deep/app.js'])
      project.write('dist/deep/app.js', '3')
      await project.next('dist/deep/app.js')
      project.write('app.yml', '3')
      await project.next('app.yml')
      rmSync(project.at('dist'), { recursive: true })
      project.write('dist/deep/app.js', '4')
      await project.next('dist/deep/app.js')
      project.write('dist/deep/app.js', '5')
      await project.next('dist/deep/app.js')
    })

    t.test('watches a project that is renamed, and one created in its place', async t => {
      const project = new WatchedProject(t, { 'src/a.js': '1' })
      await project.watch(t, { patterns: ['src'] }, opener())
      renameSync(project.root, `${project.root}-away`)
      await project.next('src/a.js')
      renameSync(`${project.root}-away`, project.root)
      await project.next('src/a.js')
      project.write('src/a.js', '2')
      await project.next('src/a.js')
      renameSync(project.root, `${project.root}-away`)
      project.write('src/a.js', 'of another checkout')
      await project.next('src/a.js')
      project.write('src/b.js', '1')
      await project.next('src/b.js')
    })

    t.test('reports configuration files only when their content changes', async t => {
      const project = new WatchedProject(t, { 'locald.toml': 'a' })
      await project.watch(t, { files: ['locald.toml', '.env', 'conf/later.env'] }, opener())
      utimesSync(project.at('locald.toml'), 1, 1)
      project.write('locald.toml', 'a')
      project.write('.env', 'b')
      t.strictSame(await project.next('.env'), ['.env'])
      rmSync(project.at('.env'))
      await project.next('.env')
      project.write('conf/later.env', 'c')
      await project.next('conf/later.env')
      rmSync(project.at('conf'), { recursive: true })
      await project.next('conf/later.env')
      project.write('conf/later.env', 'c')
      await project.next('conf/later.env')
      execFileSync('mkfifo', [project.at('.env')])
      await project.next('.env')
    })

    t.test('ignores modes and temporary files of editors, reports a new time', async t => {
      const project = new WatchedProject(t, { 'src/a.js': '1', 'src/b.js': '1' })
      await project.watch(t, { patterns: ['src/**'] }, opener())
      chmodSync(project.at('src/a.js'), 0o600)
      for (const name of [
        '4913',
        '.DS_Store',
        'a.js~',
        '.a.js.swp',
        '.#a.js',
        '#a.js#',
        'a.js___jb_tmp___',
        'sedAbCdE',
      ])
        project.write(`src/${name}`, 'x')
      rmSync(project.at('src/sedAbCdE'))
      utimesSync(project.at('src/b.js'), 1, 1)
      t.strictSame(await project.next('src/b.js'), ['src/b.js'])
    })

    t.test('follows links to their targets, without circles', async t => {
      const project = new WatchedProject(t, {
        'real/one/app.yml': '1',
        'real/two/app.yml': '2',
        'real/lib/a.js': '1',
        'src/x.js': '1',
      })
      symlinkSync('../real/one', project.at('src/..data'))
      symlinkSync('..data/app.yml', project.at('src/app.yml'))
      symlinkSync('../real/lib', project.at('src/lib'))
      symlinkSync('..', project.at('src/loop'))
      await project.watch(t, { patterns: ['src/app.yml', 'src/**/*.js'] }, opener())
      project.write('real/one/app.yml', 'changed')
      await project.next('src/app.yml')
      symlinkSync('../real/two', project.at('src/..new'))
      renameSync(project.at('src/..new'), project.at('src/..data'))
      await project.next('src/app.yml')
      project.write('real/lib/a.js', '2')
      t.strictSame(await project.next('src/lib/a.js'), ['src/lib/a.js'])
    })

    t.test('a tagged cache folder costs no watch unless a pattern names it', async t => {
      const files: Record<string, string> = { 'src/a.rs': '1', 'target/CACHEDIR.TAG': '', 'env/pyvenv.cfg': '' }
      for (let index = 0; index < 30; index++) files[`target/debug/${index}/a.rs`] = '1'
      const project = new WatchedProject(t, files)
      await project.watch(t, { patterns: ['**/*.rs'] }, opener())
      t.ok(project.folders < 7, `${project.folders} watches`)
      project.write('target/debug/1/a.rs', '22')
      project.write('target/b.rs', '22')
      project.write('src/a.rs', '22')
      t.strictSame(await project.next('src/a.rs'), ['src/a.rs'])
      rmSync(project.at('target'), { recursive: true })
      project.write('target/own.rs', '1')
      t.strictSame(await project.next('target/own.rs'), ['target/own.rs'])
      const named = new WatchedProject(t, files)
      await named.watch(t, { patterns: ['target/debug/**'] }, opener())
      named.write('target/debug/1/a.rs', '22')
      await named.next('target/debug/1/a.rs')
    })
  })

t.test('costs one watch per folder that may contain a match', async t => {
  const project = new WatchedProject(t, { 'cmd/main.go': '1', 'node_modules/x/y/a.go': '1', 'docs/a/b/c.md': '1' })
  for (let index = 0; index < 300; index++) writeFileSync(project.at(`cmd/${index}.svg`), '')
  await project.watch(t, { patterns: ['cmd/**/*.go', '*.go'] })
  t.ok(project.folders < 5, `${project.folders} watches`)
  project.write('cmd/new/deep/a.go', '1')
  await project.next('cmd/new/deep/a.go')
})

t.test('files outside the patterns cost neither watches nor descriptors', async t => {
  const project = new WatchedProject(t, { 'src/a.go': '1' })
  for (let index = 0; index < 3000; index++) project.write(`src/${index % 30}/${index}.svg`, '')
  const before = { descriptors: descriptors(), watches: inotifyWatches() }
  await project.watch(t, { patterns: ['**/*.go'] })
  t.ok(descriptors() < before.descriptors + 20, `${descriptors()} descriptors, ${before.descriptors} before`)
  t.ok(inotifyWatches() < before.watches + 50, `${inotifyWatches()} watches, ${before.watches} before`)
  project.write('src/7/a.go', '1')
  await project.next('src/7/a.go')
})

t.test('a watch that reports whole trees needs no second one', async t => {
  const project = new WatchedProject(t, { 'src/deep/a.js': '1' })
  let tree = (_event: 'rename' | 'change', _name: string | null) => {}
  const open: OpenFolder = (_folder, reach, listener) => {
    if (reach === 'tree') tree = listener
    return { deep: reach === 'tree', close: () => {} }
  }
  await project.watch(t, { patterns: ['src/**'] }, open)
  const { folders } = project
  project.write('src/deep/a.js', '22')
  tree('change', 'deep/a.js')
  await project.next('src/deep/a.js')
  t.equal(project.folders, folders)
  t.equal(folders, 3, 'the one above the project, the project, src')
})

t.test('a tree of too many folders is watched in part, and said to be', async t => {
  const project = new WatchedProject(t, { 'a.js': '1' })
  for (let group = 0; group < 21; group++)
    for (let index = 0; index < 1000; index++) mkdirSync(project.at(`${group}/${index}`), { recursive: true })
  let tree = (_event: 'rename' | 'change', _name: string | null) => {}
  const open: OpenFolder = (folder, reach, listener) => {
    if (folder === project.root) tree = listener
    return { deep: reach === 'tree', close: () => {} }
  }
  await project.watch(t, { patterns: ['**'] }, open)
  t.match(project.problems, [
    { message: /^not all of .* is watched: more than 20000 folders are below it$/, hint: /watch/ },
  ])
  project.write('a.js', '22')
  tree('change', 'a.js')
  await project.next('a.js')
  t.equal(project.problems.length, 1)
})

t.test('reports during endless changes', async t => {
  const settled = new Promise<void>(resolve => {
    const changes = new PendingChanges({ all: [], isInside: () => false, settled: resolve, patienceMs: 200 })
    const writer = setInterval(() => changes.add('/p/app.db', false), 10)
    t.teardown(() => {
      clearInterval(writer)
      changes.close()
    })
  })
  await settled
})

t.test('remembers pending changes for a limited time', t => {
  const pending = (patienceMs: number) => {
    const changes = new PendingChanges({ all: [], isInside: () => false, settled: () => {}, patienceMs })
    changes.add('/p/a', false)
    changes.take()
    t.notOk(changes.continues)
    changes.add('/p/b', false)
    const { continues } = changes
    changes.close()
    return continues
  }
  t.ok(pending(60_000))
  t.notOk(pending(0))
  t.end()
})
