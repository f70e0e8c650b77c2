/** docs/architecture.md agrees with the tree; the order of its rooms is checked by test/kernel/room-order.test.ts. */
import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { architecturePage, firstColumn, kernelOrder } from '../lib/architecture.ts'
import { root } from '../lib/sources.ts'

/** Returns what git has in a folder (the root: ''), folders with a slash, sorted. */
function entriesOf(folder: string): readonly string[] {
  const words = ['ls-files', '-z', '--', folder === '' ? '.' : folder]
  const files = execFileSync('git', words, { cwd: root, encoding: 'utf8' }).split('\0')
  const names = files
    .filter(file => file !== '' && existsSync(join(root, file)))
    .map(file => file.slice(folder.length).replace(/\/.*/, '/'))
  return [...new Set(names)].sort()
}

t.test('lists every room of the repository', async t => {
  const rooms = entriesOf('').filter(name => name.endsWith('/') && !name.startsWith('.'))
  t.strictSame([...firstColumn('Room')].sort(), rooms)
})

t.test('lists every room and file of the kernel', async t => {
  t.strictSame([...kernelOrder()].sort(), entriesOf('kernel/'))
})

t.test('lists every room and file of the configuration', async t => {
  t.strictSame([...firstColumn('In `kernel/config/`')].sort(), entriesOf('kernel/config/'))
})

t.test('names only files and folders that exist', async t => {
  const named = architecturePage.matchAll(/`((?:cli|kernel|plugins|native|shim|test)\/[\w./-]+)`/g)
  const paths = [...named].map(([, path = '']) => path)
  t.ok(paths.length > 25, `${paths.length} paths`)
  t.strictSame(
    paths.filter(path => !existsSync(join(root, path))),
    [],
  )
})
