import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { loadProject } from '../../../../kernel/config/load.ts'
import { failure, folder, top, types } from '../projects.ts'
import { head, web } from '../wrong-files/index.ts'

t.test('reports a file that cannot be read, without blocking', async t => {
  const cases: readonly [string, (file: string) => void, string][] = [
    ['a folder', file => mkdirSync(file), 'is a folder'],
    ['a pipe', file => execFileSync('mkfifo', [file]), 'is not a regular file'],
    ['a device', file => symlinkSync('/dev/zero', file), 'is not a regular file'],
    ['a circle of links', file => symlinkSync(file, file), 'its symbolic links go in a circle'],
    ['10 MB', file => writeFileSync(file, '#'.repeat(1e7)), 'is larger than 1 MiB'],
    ['binary', file => writeFileSync(file, new Uint8Array([0x7f, 0x45, 0xff, 0xfe])), 'is not UTF-8 text'],
  ]
  for (const [what, make, reason] of cases) {
    const { root, places } = folder({})
    make(join(root, 'locald.toml'))
    const error = await failure(loadProject(root, types, places))
    t.match(error, { code: 'CONFIG_UNREADABLE', message: `locald.toml: ${reason}` }, what)
    const layer = folder({ 'locald.toml': web })
    make(join(layer.root, '../.locald.toml'))
    const other = await failure(loadProject(layer.root, types, layer.places))
    t.match(other, { code: 'CONFIG_UNREADABLE', message: `~/work/.locald.toml: ${reason}` }, `${what} as a layer`)
    // A pipe or a device may be a `.env`, which only an `up` reads.
    if (['a folder', 'a pipe', 'a device'].includes(what)) continue
    const dotenv = folder({ 'locald.toml': web })
    make(join(dotenv.root, '.env'))
    t.match(
      await failure(loadProject(dotenv.root, types, dotenv.places)),
      { message: what === 'binary' ? '.env: line 1 is not UTF-8 text' : `.env: ${reason}` },
      `${what} as .env`,
    )
  }
  const pipe = folder({ 'locald.toml': web })
  execFileSync('mkfifo', [join(pipe.root, '.env')])
  const { plan } = await loadProject(pipe.root, types, pipe.places)
  t.notOk(plan.files.includes(join(pipe.root, '.env')), 'a pipe is neither read nor watched')
  const venv = folder({ 'locald.toml': web, '.env/bin/activate': '' })
  await t.resolves(loadProject(venv.root, types, venv.places), 'a folder named .env is a virtual environment')
  await t.test('no permission', async t => {
    const { root, places } = folder({ 'locald.toml': web })
    chmodSync(top, 0o755)
    chmodSync(join(root, 'locald.toml'), 0)
    const isRoot = process.getuid?.() === 0
    if (isRoot) process.seteuid?.(65534)
    try {
      const error = await failure(loadProject(root, types, places))
      t.match(error, { code: 'CONFIG_UNREADABLE', message: 'locald.toml: no permission to read it' })
    } finally {
      if (isRoot) process.seteuid?.(0)
    }
  })
  const mixed = folder({ 'locald.toml': `${head}x = 1`, '../.locald.toml': new Uint8Array([0xff]) })
  const error = await failure(loadProject(mixed.root, types, mixed.places))
  t.equal(error.code, 'CONFIG_INVALID', 'with other problems')
  t.equal(error.problems.length, 2)
})
