import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { type CloneTools, cloneByProgram, hasClones, sharesBlocks } from '../../../plugins/postgres/files/clone.ts'
import { copyTree } from '../../../plugins/postgres/files/copy-tree.ts'

/**
 * /bin/cp of macOS (file_cmds-457, cp/cp.c and cp/utils.c) for files into a folder: with -c by clonefile(2), one after
 * the other, and on after one that is missing; a whole copy or none, unless the volume has no clones. Each run is
 * noted.
 */
const cpOfMac = `#!/bin/sh
[ "$1 $2 $3" = '-c -p --' ] || { echo "usage: cp [-R [-H | -L | -P]] [-fi | -n] [-acpsSvXx] source_file target_file" >&2; exit 64; }
shift 3
for folder; do :; done
echo "$#" >> "$0.runs"
[ -z "$LOCALD_TEST_CP" ] || exec sleep 60
code=0
for file; do
  [ "$file" = "$folder" ] && continue
  case $file in *full*) echo "cp: $file: clonefile failed: No space left on device" >&2; code=1; continue;; esac
  if [ -e "$file" ]; then /bin/cp -p "$file" "$folder/"
  else echo "cp: $file: No such file or directory" >&2; code=1; fi
done
exit $code
`

/** mount(8) of macOS, as of a Mac with one disk. */
const mountOfMac = (type: string, point: string): string => `#!/bin/sh
echo '/dev/disk3s1s1 on / (apfs, sealed, local, read-only, journaled)' | sed s/apfs/hfs/
echo 'devfs on /dev (devfs, local, nobrowse)'
echo '/dev/disk3s5 on ${point} (${type}, local, journaled, nobrowse, protect)'
`

/** A machine whose Node has no clones. */
function machine(t: Test, type = 'apfs', point?: string): CloneTools & { readonly runs: () => readonly string[] } {
  const folder = t.testdir({ cp: cpOfMac, mount: mountOfMac(type, point ?? t.testdirName) })
  for (const name of ['cp', 'mount']) chmodSync(join(folder, name), 0o755)
  return {
    cp: join(folder, 'cp'),
    mount: join(folder, 'mount'),
    nodeClones: async ({ from }) => (existsSync(from) ? 'never' : undefined),
    runs: () => readFileSync(join(folder, 'cp.runs'), 'utf8').trim().split('\n'),
  }
}

function cluster(folder: string, files: Readonly<Record<string, string>>): void {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(join(folder, name, '..'), { recursive: true })
    writeFileSync(join(folder, name), text, { mode: 0o600 })
  }
}

t.test("clones a folder by the system's cp where Node cannot", async t => {
  const tools = machine(t)
  const [from, to] = [join(t.testdirName, 'from'), join(t.testdirName, 'to')]
  cluster(from, { PG_VERSION: '18', 'base/1/a': 'a', 'base/1/b': 'b', 'postmaster.pid': '1' })
  symlinkSync('PG_VERSION', join(from, 'link'))
  await copyTree(from, to, {
    skip: path => path === 'postmaster.pid',
    clone: (files, signal) => cloneByProgram(files, signal, tools),
  })
  t.strictSame(readdirSync(to, { recursive: true }).sort(), [
    'PG_VERSION',
    'base',
    'base/1',
    'base/1/a',
    'base/1/b',
    'link',
  ])
  t.equal(readFileSync(join(to, 'base/1/b'), 'utf8'), 'b')
  t.equal(statSync(join(to, 'base/1/b')).mode & 0o777, 0o600)
  t.strictSame(tools.runs(), ['2', '3'], 'one run for each folder')
})

t.test('clones many files in few runs, none too long', async t => {
  const tools = machine(t)
  const [from, to] = [join(t.testdirName, 'from'), join(t.testdirName, 'to')]
  cluster(from, Object.fromEntries(Array.from({ length: 300 }, (_, at) => [`f${at}`, String(at)])))
  await copyTree(from, to, { clone: (files, signal) => cloneByProgram(files, signal, tools) })
  t.equal(readdirSync(to).length, 300)
  t.strictSame(tools.runs(), ['257', '45'])
})

t.test('skips files that a server removes meanwhile; the others stay clones', async t => {
  const tools = machine(t)
  const [from, to] = [join(t.testdirName, 'from'), join(t.testdirName, 'to')]
  cluster(from, { a: 'a', b: 'b' })
  mkdirSync(to)
  const files = ['removed', 'a', 'b'].map(name => ({ from: join(from, name), to: join(to, name) }))
  t.strictSame(
    (await cloneByProgram(files, undefined, tools)).map(file => file.to),
    [join(to, 'removed')],
  )
  t.strictSame(readdirSync(to), ['a', 'b'])
})

t.test('discards the copies of a failed run; all are copied one by one', async t => {
  const tools = machine(t)
  const [from, to] = [join(t.testdirName, 'from'), join(t.testdirName, 'to')]
  cluster(from, { a: 'a', full: 'b' })
  mkdirSync(to)
  const files = ['a', 'full'].map(name => ({ from: join(from, name), to: join(to, name) }))
  t.strictSame(await cloneByProgram(files, undefined, tools), files)
  t.strictSame(readdirSync(to), [])
  t.strictSame(await cloneByProgram(files, undefined, { ...tools, cp: '/nowhere/cp' }), files)
})

t.test('kills the program of an aborted copy', async t => {
  const tools = machine(t)
  const [from, to] = [join(t.testdirName, 'from'), join(t.testdirName, 'to')]
  cluster(from, { a: 'a' })
  process.env['LOCALD_TEST_CP'] = 'slow'
  t.teardown(() => delete process.env['LOCALD_TEST_CP'])
  const abort = new AbortController()
  const copying = copyTree(from, to, {
    signal: abort.signal,
    clone: (files, signal) => {
      setTimeout(() => abort.abort(new Error('not any more')), 50)
      return cloneByProgram(files, signal, tools)
    },
  })
  await t.rejects(copying, { message: 'not any more' })
})

t.test('requires free space unless blocks are shared', async t => {
  const file = join(t.testdirName, 'cp')
  const probe = join(t.testdirName, 'probe')
  t.equal(await sharesBlocks(file, probe, machine(t)), true)
  t.equal(await sharesBlocks(file, probe, machine(t, 'hfs')), false)
  t.equal(await sharesBlocks(file, probe, machine(t, 'apfs', '/proc')), false, 'another volume')
  t.equal(await sharesBlocks(file, probe, { ...machine(t), nodeClones: async () => 'here' }), true)
  t.equal(await sharesBlocks(file, probe, { ...machine(t), nodeClones: async () => 'elsewhere' }), false)
})

t.test('detects whether a folder has clones', async t => {
  const folder = t.testdirName
  t.equal(await hasClones(folder, machine(t)), true)
  t.equal(await hasClones(folder, machine(t, 'hfs')), false)
  t.equal(await hasClones(folder, { ...machine(t), nodeClones: async () => 'here' }), true)
  t.equal(await hasClones(join(folder, 'none'), machine(t)), undefined)
  t.same(readdirSync(folder).toSorted(), ['cp', 'mount'], 'nothing is left')
})
