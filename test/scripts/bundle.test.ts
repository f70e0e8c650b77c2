import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import t from 'tap'
import { root } from '../lib/user.ts'

const dist = join(root, 'dist')

/** Returns the files that an import of one reads: itself, and all that are imported at once, by any way. */
function filesOf(file: string, found = new Set<string>()): Set<string> {
  if (found.has(file)) return found
  found.add(file)
  const text = readFileSync(join(dist, file), 'utf8')
  for (const [, path = ''] of text.matchAll(/\b(?:from|import)"(\.[^"]+)"/g)) filesOf(join(dirname(file), path), found)
  return found
}

t.test('a start of the daemon reads few files, and not what it seldom needs', async t => {
  const files = [...filesOf('plugins/index.js', filesOf('kernel/daemon.js'))]
  const bytes = files.reduce((sum, file) => sum + readFileSync(join(dist, file)).length, 0)
  t.ok(bytes > 1_000_000, 'the files were found')
  // Node compiles 25 KB in half a millisecond, and takes as long to find and read a file.
  t.ok(bytes < 1_850_000, `${bytes} bytes: import what is seldom needed at its first use`)
  t.ok(files.length < 20, `${files.length} files: ${files.join(' ')}`)
  t.strictSame(
    files.filter(file => file.endsWith('implementation.js')),
    [],
  )
})

t.test('one character of another alphabet does not double the memory of a file', async t => {
  const others = [...filesOf('plugins/index.js', filesOf('kernel/daemon.js')), 'cli/main.cjs']
    // V8 keeps a text with any other character with two bytes for each.
    .filter(file => /[^\0-\x7f]/.test(readFileSync(join(dist, file), 'utf8')))
  t.strictSame(others, [])
})

t.test('a running daemon finds its late imports after an update', async t => {
  const late = readdirSync(dist, { recursive: true, encoding: 'utf8' })
    // What is in web/ is the browser's; platforms are imported at the start.
    .filter(file => file.endsWith('.js') && !file.startsWith('web'))
    .flatMap(file =>
      [...readFileSync(join(dist, file), 'utf8').matchAll(/\bimport\("(\.[^"]+)"\)/g)].map(([, path = '']) =>
        relative(dist, join(dist, dirname(file), path)),
      ),
    )
    .filter(path => !/^chunks\/platform-(?:darwin|linux)-/.test(path))
  const implementations = readdirSync(join(root, 'plugins')).filter(name =>
    existsSync(join(root, 'plugins', name, 'implementation.ts')),
  )
  t.ok(implementations.includes('postgres'), implementations.join())
  // A hash in a name would change with the text.
  const names = [
    ...implementations.map(name => `plugins/${name}/implementation.js`),
    ...['kernel/api/openapi-document.js', 'plugins/project-sources/compose/index.js'],
  ]
  t.strictSame([...new Set(late)].sort(), names.sort())
  for (const path of late) t.ok(existsSync(join(dist, path)), path)
})
