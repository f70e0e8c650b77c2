import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, relative } from 'node:path'
import picomatch from 'picomatch'
import t, { type Test } from 'tap'
import { faultOf, WatchPatterns } from '../../../kernel/config/watch-patterns.ts'
import type { OpenFolder } from '../../../kernel/contract/plugin.ts'
import { FileWatch } from '../../../kernel/operations/watch/file-watcher.ts'
import { openFolder } from '../../../kernel/operations/watch/folder-watcher.ts'
import { PendingChanges } from '../../../kernel/operations/watch/pending-changes.ts'
import type { WatchProblem } from '../../../kernel/operations/watch/watch-problem.ts'
import { FolderPolls } from '../../../plugins/platform-darwin/folder-polls.ts'
import { TreeWatches } from '../../../plugins/platform-darwin/tree-watches.ts'
import { FileEvents } from '../../plugins/platform-darwin/file-events.ts'

const deadline = 10_000

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

/** A project folder that is watched, and what was reported of it. */
class Scene {
  readonly above = mkdtempSync(join(tmpdir(), 'locald-watch-'))
  readonly root = join(this.above, 'project')
  readonly problems: WatchProblem[] = []
  readonly reports: string[][] = []
  /** The folders that watches were opened for. */
  readonly opened: string[] = []
  #heard = () => {}

  constructor(t: Test, files: Readonly<Record<string, string>> = {}) {
    mkdirSync(this.root)
    for (const [name, text] of Object.entries(files)) this.write(name, text)
    t.teardown(() => rmSync(this.above, { recursive: true, force: true }))
  }

  get folders(): number {
    return this.opened.length
  }

  at(name: string): string {
    return join(this.root, name)
  }

  write(name: string, text: string): void {
    mkdirSync(dirname(this.at(name)), { recursive: true })
    writeFileSync(this.at(name), text)
  }

  /** Watches patterns, or files whose content matters. */
  async watch(
    t: Test,
    wanted: { readonly patterns: readonly string[] } | { readonly files: readonly string[] },
    open: OpenFolder = openFolder,
  ): Promise<void> {
    const patterns = 'patterns' in wanted ? new WatchPatterns(this.root, wanted.patterns, picomatch) : undefined
    const watch = new FileWatch({
      root: this.root,
      paths: 'files' in wanted ? wanted.files.map(file => this.at(file)) : (patterns?.bases ?? []),
      ...(patterns === undefined
        ? {}
        : {
            matches: (file: string) => patterns.matches(file),
            enters: (folder: string) => patterns.enters(folder),
            isCache: (folder: string, names: readonly string[]) => patterns.isCache(folder, names),
          }),
      changed: files => {
        this.reports.push(files.map(file => relative(this.root, file)).sort())
        this.#heard()
      },
      failed: problem => {
        this.problems.push(problem ?? { message: 'none any more' })
        this.#heard()
      },
      open: (...args) => {
        this.opened.push(relative(this.root, args[0]))
        return open(...args)
      },
    })
    t.teardown(() => watch.close())
    await watch.armed
  }

  /** What is reported next, all reports until one has `file`. */
  async next(file: string): Promise<readonly string[]> {
    await this.#until(() => this.reports.flat().includes(file), file)
    return this.reports.splice(0).flat().sort()
  }

  /** Resolves when so many problems were reported, the end of one included. */
  async told(problems: number): Promise<void> {
    await this.#until(() => this.problems.length >= problems, `${problems} problems`)
  }

  async #until(isThere: () => boolean, what: string): Promise<void> {
    while (!isThere()) {
      await new Promise<void>((resolve, reject) => {
        // Watches keep no process alive, a timer does.
        const late = () => reject(new Error(`no report of ${what}: ${JSON.stringify(this.reports)}`))
        const timer = setTimeout(late, deadline)
        this.#heard = () => {
          clearTimeout(timer)
          resolve()
        }
      })
    }
  }
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
    t.test('what is removed and comes back is watched again', async t => {
      const scene = new Scene(t, { 'dist/deep/app.js': '1', 'app.yml': '1' })
      await scene.watch(t, { patterns: ['dist/**/*.js', 'app.yml'] }, opener())
      rmSync(scene.at('dist'), { recursive: true })
      rmSync(scene.at('app.yml'))
      t.strictSame(await scene.next('app.yml'), ['app.yml', 'dist/deep/app.js'])
      scene.write('dist/deep/app.js', '2')
      scene.write('app.yml', '2')
      t.strictSame(await scene.next('app.yml'), ['app.yml', 'dist/deep/app.js'])
      scene.write('dist/deep/app.js', '3')
      await scene.next('dist/deep/app.js')
      scene.write('app.yml', '3')
      await scene.next('app.yml')
      rmSync(scene.at('dist'), { recursive: true })
      scene.write('dist/deep/app.js', '4')
      await scene.next('dist/deep/app.js')
      scene.write('dist/deep/app.js', '5')
      await scene.next('dist/deep/app.js')
    })

    t.test('a project that is renamed away, and one that is made in its place, are watched', async t => {
      const scene = new Scene(t, { 'src/a.js': '1' })
      await scene.watch(t, { patterns: ['src'] }, opener())
      renameSync(scene.root, `${scene.root}-away`)
      await scene.next('src/a.js')
      renameSync(`${scene.root}-away`, scene.root)
      await scene.next('src/a.js')
      scene.write('src/a.js', '2')
      await scene.next('src/a.js')
      renameSync(scene.root, `${scene.root}-away`)
      scene.write('src/a.js', 'of another checkout')
      await scene.next('src/a.js')
      scene.write('src/b.js', '1')
      await scene.next('src/b.js')
    })

    t.test('configuration counts by its content', async t => {
      const scene = new Scene(t, { 'locald.toml': 'a' })
      await scene.watch(t, { files: ['locald.toml', '.env', 'conf/later.env'] }, opener())
      utimesSync(scene.at('locald.toml'), 1, 1)
      scene.write('locald.toml', 'a')
      scene.write('.env', 'b')
      t.strictSame(await scene.next('.env'), ['.env'])
      rmSync(scene.at('.env'))
      await scene.next('.env')
      scene.write('conf/later.env', 'c')
      await scene.next('conf/later.env')
      rmSync(scene.at('conf'), { recursive: true })
      await scene.next('conf/later.env')
      scene.write('conf/later.env', 'c')
      await scene.next('conf/later.env')
      execFileSync('mkfifo', [scene.at('.env')])
      await scene.next('.env')
    })

    t.test('a mode, and what editors leave, are no change; a new time is one', async t => {
      const scene = new Scene(t, { 'src/a.js': '1', 'src/b.js': '1' })
      await scene.watch(t, { patterns: ['src/**'] }, opener())
      chmodSync(scene.at('src/a.js'), 0o600)
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
        scene.write(`src/${name}`, 'x')
      rmSync(scene.at('src/sedAbCdE'))
      utimesSync(scene.at('src/b.js'), 1, 1)
      t.strictSame(await scene.next('src/b.js'), ['src/b.js'])
    })

    t.test('links are followed to what they lead to, and not in circles', async t => {
      const scene = new Scene(t, {
        'real/one/app.yml': '1',
        'real/two/app.yml': '2',
        'real/lib/a.js': '1',
        'src/x.js': '1',
      })
      symlinkSync('../real/one', scene.at('src/..data'))
      symlinkSync('..data/app.yml', scene.at('src/app.yml'))
      symlinkSync('../real/lib', scene.at('src/lib'))
      symlinkSync('..', scene.at('src/loop'))
      await scene.watch(t, { patterns: ['src/app.yml', 'src/**/*.js'] }, opener())
      scene.write('real/one/app.yml', 'changed')
      await scene.next('src/app.yml')
      symlinkSync('../real/two', scene.at('src/..new'))
      renameSync(scene.at('src/..new'), scene.at('src/..data'))
      await scene.next('src/app.yml')
      scene.write('real/lib/a.js', '2')
      t.strictSame(await scene.next('src/lib/a.js'), ['src/lib/a.js'])
    })

    t.test('a folder that a tool marks as its cache costs none, unless a pattern names it', async t => {
      const files: Record<string, string> = { 'src/a.rs': '1', 'target/CACHEDIR.TAG': '', 'env/pyvenv.cfg': '' }
      for (let index = 0; index < 30; index++) files[`target/debug/${index}/a.rs`] = '1'
      const scene = new Scene(t, files)
      await scene.watch(t, { patterns: ['**/*.rs'] }, opener())
      t.ok(scene.folders < 7, `${scene.folders} watches`)
      scene.write('target/debug/1/a.rs', '22')
      scene.write('target/b.rs', '22')
      scene.write('src/a.rs', '22')
      t.strictSame(await scene.next('src/a.rs'), ['src/a.rs'])
      rmSync(scene.at('target'), { recursive: true })
      scene.write('target/own.rs', '1')
      t.strictSame(await scene.next('target/own.rs'), ['target/own.rs'])
      const named = new Scene(t, files)
      await named.watch(t, { patterns: ['target/debug/**'] }, opener())
      named.write('target/debug/1/a.rs', '22')
      await named.next('target/debug/1/a.rs')
    })
  })

t.test('a folder costs one watch, whatever is in it, and only folders that may matter cost any', async t => {
  const scene = new Scene(t, { 'cmd/main.go': '1', 'node_modules/x/y/a.go': '1', 'docs/a/b/c.md': '1' })
  for (let index = 0; index < 300; index++) writeFileSync(scene.at(`cmd/${index}.svg`), '')
  await scene.watch(t, { patterns: ['cmd/**/*.go', '*.go'] })
  t.ok(scene.folders < 5, `${scene.folders} watches`)
  scene.write('cmd/new/deep/a.go', '1')
  await scene.next('cmd/new/deep/a.go')
})

t.test('files that nobody wants cost neither watches nor descriptors', async t => {
  const scene = new Scene(t, { 'src/a.go': '1' })
  for (let index = 0; index < 3000; index++) scene.write(`src/${index % 30}/${index}.svg`, '')
  const before = { descriptors: descriptors(), watches: inotifyWatches() }
  await scene.watch(t, { patterns: ['**/*.go'] })
  t.ok(descriptors() < before.descriptors + 20, `${descriptors()} descriptors, ${before.descriptors} before`)
  t.ok(inotifyWatches() < before.watches + 50, `${inotifyWatches()} watches, ${before.watches} before`)
  scene.write('src/7/a.go', '1')
  await scene.next('src/7/a.go')
})

t.test('whole trees', async t => {
  await t.test('changes while another stream begins are noticed', async t => {
    const scene = new Scene(t, { 'src/a.js': '1' })
    const events = new FileEvents()
    await scene.watch(t, { patterns: ['src/**'] }, trees(events).open)
    const { streams } = events
    scene.write('src/a.js', '22')
    await scene.next('src/a.js')
    t.equal(events.streams, streams, 'none begins for a look')
  })
  await t.test('what is behind a link has a watch of its own', async t => {
    const scene = new Scene(t, { 'real/lib/deep/a.js': '1', 'src/x.js': '1', 'src/deep/y.js': '1' })
    symlinkSync('../real/lib', scene.at('src/lib'))
    await scene.watch(t, { patterns: ['src/**'] }, trees().open)
    t.ok(scene.opened.includes('src/lib'))
    t.notOk(scene.opened.includes('src/deep'))
    t.notOk(scene.opened.includes('src/lib/deep'))
  })
  await t.test('what is reported from below a cache is not looked at, nor taken for a link', async t => {
    const scene = new Scene(t, {
      'src/a.js': '1',
      'src/out/CACHEDIR.TAG': '',
      'src/out/b.js': '1',
      'src/deep/one/app.js': '1',
      'src/deep/two/app.js': '22',
    })
    symlinkSync('one', scene.at('src/deep/..data'))
    symlinkSync('..data/app.js', scene.at('src/deep/app.js'))
    await scene.watch(t, { patterns: ['src/a.js', 'src/*/*.js'] }, trees().open)
    scene.write('src/a.js', '22')
    await scene.next('src/a.js')
    scene.write('src/out/b.js', '22')
    scene.write('src/a.js', '333')
    t.strictSame(await scene.next('src/a.js'), ['src/a.js'])
    symlinkSync('two', scene.at('src/deep/..new'))
    renameSync(scene.at('src/deep/..new'), scene.at('src/deep/..data'))
    t.strictSame(await scene.next('src/deep/app.js'), ['src/deep/app.js'])
  })
  await t.test(
    'what is outside of the project is looked at now and then, with no watch of all that is below it',
    async t => {
      const scene = new Scene(t, { 'locald.toml': 'a' })
      const events = new FileEvents()
      await scene.watch(
        t,
        { files: ['locald.toml', '../outer.toml', '../config/locald/config.toml'] },
        trees(events).open,
      )
      t.strictSame(events.paths, [realpathSync(scene.root)])
      scene.write('../outer.toml', 'b')
      await scene.next('../outer.toml')
      scene.write('../outer.toml', 'cc')
      await scene.next('../outer.toml')
      scene.write('../config/locald/config.toml', 'b')
      await scene.next('../config/locald/config.toml')
      scene.write('../config/locald/config.toml', 'cc')
      await scene.next('../config/locald/config.toml')
      t.strictSame(events.paths, [realpathSync(scene.root)])
    },
  )
  await t.test('a folder that is reported for what is below it is looked through', async t => {
    const scene = new Scene(t, { 'src/deep/a.js': '1', 'src/x.js': '1' })
    const events = new FileEvents()
    await scene.watch(t, { patterns: ['src/**/*.js'] }, trees(events).open)
    scene.write('src/x.js', '22')
    await scene.next('src/x.js')
    events.coalesce('deep', () => scene.write('src/deep/a.js', '22'))
    await scene.next('src/deep/a.js')
  })
  await t.test('one watch serves all who watch a folder, until the last has left', async t => {
    const scene = new Scene(t, { 'src/a.js': '1' })
    const events = new FileEvents()
    const { open } = trees(events)
    const heard: string[] = []
    const watches = ['one', 'other'].map(who =>
      open(
        scene.root,
        'tree',
        (_, name) => heard.push(`${who} ${name}`),
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
  await t.test('no stream at all is the limit of the system, and files are looked at now and then', async t => {
    const scene = new Scene(t, { 'src/a.js': '1' })
    const events = new FileEvents()
    await scene.watch(t, { patterns: ['src/**'] }, trees(events).open)
    events.fail()
    t.match(scene.problems, [{ message: /limit of file watches is reached \(EMFILE/ }])
    scene.write('src/a.js', '22')
    await scene.next('src/a.js')
    await scene.told(2)
    t.match(scene.problems, [{}, { message: 'none any more' }])
    scene.write('src/b.js', '1')
    await scene.next('src/b.js')
  })
})

t.test('one cause is reported once, and the rest is watched', async t => {
  const files = Object.fromEntries(Array.from({ length: 20 }, (_, index) => [`src/d${index}/a.js`, '1']))
  const fails = (code: string, isMeant: (folder: string) => boolean): OpenFolder => {
    return (folder, ...rest) => {
      if (isMeant(folder)) throw Object.assign(new Error(`${code}: it failed`), { code })
      return openFolder(folder, ...rest)
    }
  }
  await t.test('the limit of the system', async t => {
    const scene = new Scene(t, files)
    await scene.watch(
      t,
      { patterns: ['src/**'] },
      fails('ENOSPC', folder => folder.includes('/d')),
    )
    t.equal(scene.problems.length, 1)
    t.match(scene.problems[0], { message: /limit of file watches is reached \(ENOSPC/, hint: /locald doctor/ })
    scene.write('src/b.js', '1')
    await scene.next('src/b.js')
  })
  await t.test('what is over the limit is looked at now and then, until there are watches again', async t => {
    const scene = new Scene(t, files)
    let isFull = true
    await scene.watch(
      t,
      { patterns: ['src/**'] },
      fails('ENOSPC', folder => isFull && folder.includes('/src')),
    )
    scene.write('src/d7/a.js', '22')
    rmSync(scene.at('src/d8'), { recursive: true })
    t.strictSame(await scene.next('src/d7/a.js'), ['src/d7/a.js', 'src/d8/a.js'])
    isFull = false
    scene.write('src/d9/a.js', '22')
    await scene.next('src/d9/a.js')
    t.equal(scene.problems.length, 2)
    t.match(
      scene.problems,
      [/limit of file watches/, /none any more/].map(message => ({ message })),
    )
  })
  await t.test('a folder that may not be read', async t => {
    const scene = new Scene(t, files)
    await scene.watch(
      t,
      { patterns: ['src/**'] },
      fails('EACCES', folder => folder.endsWith('/d3')),
    )
    t.strictSame(
      scene.problems.map(({ message }) => message),
      [`${scene.at('src/d3')} cannot be watched: permission denied`],
    )
    scene.write('src/d4/a.js', '2')
    await scene.next('src/d4/a.js')
  })
})

t.test('a watch that reports whole trees needs no second one', async t => {
  const scene = new Scene(t, { 'src/deep/a.js': '1' })
  let tree = (_event: 'rename' | 'change', _name: string | null) => {}
  const open: OpenFolder = (_folder, reach, heard) => {
    if (reach === 'tree') tree = heard
    return { deep: reach === 'tree', close: () => {} }
  }
  await scene.watch(t, { patterns: ['src/**'] }, open)
  const { folders } = scene
  scene.write('src/deep/a.js', '22')
  tree('change', 'deep/a.js')
  await scene.next('src/deep/a.js')
  t.equal(scene.folders, folders)
  t.equal(folders, 3, 'the one above the project, the project, src')
})

t.test('tens of thousands of changes at once are looked at in no time', async t => {
  const scene = new Scene(t, { 'src/a.js': '1' })
  let heard = (_event: 'rename' | 'change', _name: string | null) => {}
  const open: OpenFolder = (folder, reach, listener, failed) => {
    if (folder === scene.at('src')) heard = listener
    return openFolder(folder, reach, listener, failed)
  }
  await scene.watch(t, { patterns: ['src/**'] }, open)
  for (let index = 0; index < 20_000; index++) heard('rename', `${index}.js`)
  scene.write('src/a.js', '2')
  t.strictSame(await scene.next('src/a.js'), ['src/a.js'])
  scene.write('src/a.js', '3')
  await scene.next('src/a.js')
})

t.test('changes without an end are looked at in between', async t => {
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

t.test('what goes on is known as long as there is patience', t => {
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

t.test('patterns mean what they say', t => {
  const root = '/p'
  const fit = (patterns: readonly string[], file: string) =>
    new WatchPatterns(root, patterns, picomatch).matches(`/p/${file}`)
  const tests = ['src/**/*.js', '!src/**/*.test.js']
  const cases: readonly [readonly string[], string, boolean][] = [
    [tests, 'src/a.js', true],
    [tests, 'src/a.test.js', false],
    [tests, 'src/data.json', false],
    [['src'], 'src/deep/a.js', true],
    [['src/'], 'src/deep/a.js', true],
    [['./src/'], 'src/a', true],
    [['src'], 'srcs/a.js', false],
    [['größe/**'.normalize('NFC')], 'größe/a.js'.normalize('NFD'), true],
    [['größe/**'.normalize('NFD')], 'größe/a.js'.normalize('NFC'), true],
    [['.'], 'any/file', true],
    [['packages/*/src'], 'packages/a/src/b.js', true],
    [['src/*'], 'src/deep/a.js', false],
    [['src', '!src/vendor'], 'src/vendor/deep/a.js', false],
    [['src', '!src/vendor/', 'src/vendor/own.js'], 'src/vendor/own.js', true],
    [['**', '!**/vendor'], 'a/vendor/b/c.js', false],
    [['pages/[id].tsx'], 'pages/[id].tsx', true],
    [['app/[id]'], 'app/[id]/page.tsx', true],
    [['app/[...slug]/**'], 'app/[...slug]/page.tsx', true],
    [['app/(group)/**/*.ts'], 'app/(group)/deep/a.ts', true],
    [['app/@modal/(.)photo/*'], 'app/@modal/(.)photo/page.tsx', true],
    [['src/(a|b).js'], 'src/b.js', true],
    [['src/[ab].js'], 'src/b.js', true],
    [['src/[!ab].js'], 'src/c.js', true],
    [['src/[!ab].js'], 'src/b.js', false],
    [['src/*/'], 'src/a/deep/b.js', true],
    [['src/*/'], 'src/a', false],
    [['src', '!src/*/'], 'src/a/b.js', false],
    [['!(a|b).js'], 'c.js', true],
    [['!(a|b).js'], 'a.js', false],
    [['**'], 'node_modules/a/b.js', false],
    [['node_modules/mine'], 'node_modules/mine/b.js', true],
    [['**'], 'src/.a.js.swp', false],
    [['/p/src'], 'src/a.js', true],
    [['../shared/**'], '../shared/a.js', true],
  ]
  for (const [patterns, file, expected] of cases)
    t.equal(fit(patterns, file), expected, `${patterns.join(' ')}: ${file}`)
  t.end()
})

t.test('only folders that may hold a wanted file are entered', t => {
  const enters = (patterns: readonly string[], folder: string) =>
    new WatchPatterns('/p', patterns, picomatch).enters(`/p/${folder}`)
  const cases: readonly [readonly string[], string, boolean][] = [
    [['src/**/*.js'], 'src/deep', true],
    [['src/**/*.js'], 'docs', false],
    [['*.go'], 'cmd', false],
    [['packages/*/src/**'], 'packages/a', true],
    [['packages/*/src/**'], 'packages/a/test', false],
    [['src/{a,b/c}/*.js'], 'src/b/c', true],
    [['src', '!src/vendor'], 'src/vendor', false],
    [['src', '!src/vendor', 'src/vendor/own.js'], 'src/vendor', true],
    [['src', '!src/vendor/**'], 'src/vendor/deep', false],
    [['src', '!src/**/*.test.js'], 'src/deep', true],
    [['**'], 'a/node_modules', false],
    [['a/b.txt'], 'a', true],
    [['app/[id]'], 'app/[id]', true],
    [['app/[...slug]/*.ts'], 'app/[...slug]', true],
    [['src/*/'], 'src/a', true],
  ]
  for (const [patterns, folder, expected] of cases)
    t.equal(enters(patterns, folder), expected, `${patterns}: ${folder}`)
  t.end()
})

t.test('a list that can mean nothing is a fault', t => {
  t.equal(faultOf(['src/**', '!src/gen']), undefined)
  t.match(faultOf(['!src/gen', 'src/**']), /'!src\/gen', which excludes/)
  t.match(faultOf(['src', ' ']), /empty/)
  t.end()
})
