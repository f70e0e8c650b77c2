import { realpathSync, renameSync, rmSync, symlinkSync } from 'node:fs'

import t from 'tap'

import type { OpenFolder } from '../../../../kernel/contract/plugin.ts'

import { openFolder } from '../../../../kernel/operations/watch/folder-watcher.ts'

import { FolderPolls } from '../../../../plugins/platform-darwin/folder-polls.ts'
import { TreeWatches } from '../../../../plugins/platform-darwin/tree-watches.ts'
import { WatchedProject } from '../../../lib/watched-project.ts'
import { FileEvents } from '../../../plugins/platform-darwin/file-events.ts'

function trees(events = new FileEvents()): TreeWatches {
  return new TreeWatches(events.watch, new FolderPolls(100))
}

t.test('whole trees', async t => {
  await t.test('reports changes while another stream starts', async t => {
    const project = new WatchedProject(t, { 'src/a.js': '1' })
    const events = new FileEvents()
    await project.watch(t, { patterns: ['src/**'] }, trees(events).open)
    const { streams } = events
    project.write('src/a.js', '22')
    await project.next('src/a.js')
    t.equal(events.streams, streams, 'none begins for a look')
  })
  await t.test('a link target has its own watch', async t => {
    const project = new WatchedProject(t, { 'real/lib/deep/a.js': '1', 'src/x.js': '1', 'src/deep/y.js': '1' })
    symlinkSync('../real/lib', project.at('src/lib'))
    await project.watch(t, { patterns: ['src/**'] }, trees().open)
    t.ok(project.opened.includes('src/lib'))
    t.notOk(project.opened.includes('src/deep'))
    t.notOk(project.opened.includes('src/lib/deep'))
  })
  await t.test('ignores reports from below a cache', async t => {
    const project = new WatchedProject(t, {
      'src/a.js': '1',
      'src/out/CACHEDIR.TAG': '',
      'src/out/b.js': '1',
      'src/deep/one/app.js': '1',
      'src/deep/two/app.js': '22',
    })
    symlinkSync('one', project.at('src/deep/..data'))
    symlinkSync('..data/app.js', project.at('src/deep/app.js'))
    await project.watch(t, { patterns: ['src/a.js', 'src/*/*.js'] }, trees().open)
    project.write('src/a.js', '22')
    await project.next('src/a.js')
    project.write('src/out/b.js', '22')
    project.write('src/a.js', '333')
    t.strictSame(await project.next('src/a.js'), ['src/a.js'])
    symlinkSync('two', project.at('src/deep/..new'))
    renameSync(project.at('src/deep/..new'), project.at('src/deep/..data'))
    t.strictSame(await project.next('src/deep/app.js'), ['src/deep/app.js'])
  })
  await t.test('polls files outside the project instead of watching their tree', async t => {
    const project = new WatchedProject(t, { 'locald.toml': 'a' })
    const events = new FileEvents()
    await project.watch(
      t,
      { files: ['locald.toml', '../outer.toml', '../config/locald/config.toml'] },
      trees(events).open,
    )
    t.strictSame(events.paths, [realpathSync(project.root)])
    project.write('../outer.toml', 'b')
    await project.next('../outer.toml')
    project.write('../outer.toml', 'cc')
    await project.next('../outer.toml')
    project.write('../config/locald/config.toml', 'b')
    await project.next('../config/locald/config.toml')
    project.write('../config/locald/config.toml', 'cc')
    await project.next('../config/locald/config.toml')
    t.strictSame(events.paths, [realpathSync(project.root)])
  })
  await t.test('scans a folder that is reported for its contents', async t => {
    const project = new WatchedProject(t, { 'src/deep/a.js': '1', 'src/x.js': '1' })
    const events = new FileEvents()
    await project.watch(t, { patterns: ['src/**/*.js'] }, trees(events).open)
    project.write('src/x.js', '22')
    await project.next('src/x.js')
    events.coalesce('deep', () => project.write('src/deep/a.js', '22'))
    await project.next('src/deep/a.js')
  })
  await t.test('shares one watch per folder until the last watcher closes', async t => {
    const project = new WatchedProject(t, { 'src/a.js': '1' })
    const events = new FileEvents()
    const { open } = trees(events)
    const reports: string[] = []
    const watches = ['one', 'other'].map(who =>
      open(
        project.root,
        'tree',
        (_, name) => reports.push(`${who} ${name}`),
        () => {},
      ),
    )
    t.equal(events.streams, 1)
    watches[0]?.close()
    watches[0]?.close()
    t.equal(events.streams, 1)
    watches[1]?.close()
    t.equal(events.streams, 2)
  })
  await t.test('polls files when no stream is available, and reports the system limit', async t => {
    const project = new WatchedProject(t, { 'src/a.js': '1' })
    const events = new FileEvents()
    await project.watch(t, { patterns: ['src/**'] }, trees(events).open)
    events.fail()
    t.match(project.problems, [{ message: /limit of file watches is reached \(EMFILE/ }])
    project.write('src/a.js', '22')
    await project.next('src/a.js')
    await project.untilProblems(2)
    t.match(project.problems, [{}, { message: 'none any more' }])
    project.write('src/b.js', '1')
    await project.next('src/b.js')
  })
})

t.test('reports each cause once and watches the rest', async t => {
  const files = Object.fromEntries(Array.from({ length: 20 }, (_, index) => [`src/d${index}/a.js`, '1']))
  const fails = (code: string, isMeant: (folder: string) => boolean): OpenFolder => {
    return (folder, ...rest) => {
      if (isMeant(folder)) throw Object.assign(new Error(`${code}: it failed`), { code })
      return openFolder(folder, ...rest)
    }
  }
  await t.test('the limit on watches', async t => {
    const project = new WatchedProject(t, files)
    await project.watch(
      t,
      { patterns: ['src/**'] },
      fails('ENOSPC', folder => folder.includes('/d')),
    )
    t.equal(project.problems.length, 1)
    t.match(project.problems[0], { message: /limit of file watches is reached \(ENOSPC/, hint: /locald doctor/ })
    project.write('src/b.js', '1')
    await project.next('src/b.js')
  })
  await t.test('polls folders beyond the limit until watches are available', async t => {
    const project = new WatchedProject(t, files)
    let isFull = true
    await project.watch(
      t,
      { patterns: ['src/**'] },
      fails('ENOSPC', folder => isFull && folder.includes('/src')),
    )
    project.write('src/d7/a.js', '22')
    rmSync(project.at('src/d8'), { recursive: true })
    t.strictSame(await project.next('src/d7/a.js'), ['src/d7/a.js', 'src/d8/a.js'])
    isFull = false
    project.write('src/d9/a.js', '22')
    await project.next('src/d9/a.js')
    t.equal(project.problems.length, 2)
    t.match(
      project.problems,
      [/limit of file watches/, /none any more/].map(message => ({ message })),
    )
  })
  await t.test('reports an unreadable folder', async t => {
    const project = new WatchedProject(t, files)
    await project.watch(
      t,
      { patterns: ['src/**'] },
      fails('EACCES', folder => folder.endsWith('/d3')),
    )
    t.strictSame(
      project.problems.map(({ message }) => message),
      [`${project.at('src/d3')} cannot be watched: permission denied`],
    )
    project.write('src/d4/a.js', '2')
    await project.next('src/d4/a.js')
  })
})

t.test('handles tens of thousands of changes at once quickly', async t => {
  const project = new WatchedProject(t, { 'src/a.js': '1' })
  let report = (_event: 'rename' | 'change', _name: string | null) => {}
  const open: OpenFolder = (folder, reach, listener, failed) => {
    if (folder === project.at('src')) report = listener
    return openFolder(folder, reach, listener, failed)
  }
  await project.watch(t, { patterns: ['src/**'] }, open)
  for (let index = 0; index < 20_000; index++) report('rename', `${index}.js`)
  project.write('src/a.js', '2')
  t.strictSame(await project.next('src/a.js'), ['src/a.js'])
  project.write('src/a.js', '3')
  await project.next('src/a.js')
})
