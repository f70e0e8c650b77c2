import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { hasExtension, inspect, systemFolders } from '../../../plugins/postgres/binaries/inspect.ts'

/**
 * A folder like one of Homebrew's: its programs, and the folder that it was configured with, which is not below them.
 */
function homebrew(t: Test): { readonly bin: string; readonly share: string } {
  const top = mkdtempSync(join(tmpdir(), 'pg-brew-'))
  t.teardown(() => rmSync(top, { recursive: true, force: true }))
  const bin = join(top, 'opt', 'postgresql@18', 'bin')
  const share = join(top, 'share', 'postgresql@18')
  for (const folder of [bin, join(share, 'extension')]) mkdirSync(folder, { recursive: true })
  const program = (name: string, text: string) =>
    writeFileSync(join(bin, name), `#!/bin/sh\n${text}\n`, { mode: 0o755 })
  program('initdb', 'exit 1')
  program('postgres', "echo 'postgres (PostgreSQL) 18.1 (Homebrew)'")
  program('pg_config', `[ "$1" = --sharedir ] && echo '${share}'`)
  return { bin, share }
}

t.test("finds extensions in the installation's configured folder", async t => {
  const { bin, share } = homebrew(t)
  const found = await inspect(bin, 'system')
  t.match(found, { major: '18', version: '18.1' })
  if (found === undefined) return
  t.notOk(await hasExtension(found, 'vector'))
  writeFileSync(join(share, 'extension', 'vector.control'), '')
  t.ok(await hasExtension(found, 'vector'))
})

t.test('searches the folders of every PostgreSQL distribution for macOS', t => {
  const folders = systemFolders('17', '/opt/own/bin:relative')
  t.equal(folders[0], '/opt/own/bin', 'those of PATH first')
  t.notOk(folders.includes('relative'))
  for (const folder of [
    '/opt/homebrew/opt/postgresql@17/bin',
    '/usr/local/opt/postgresql@17/bin',
    '/opt/local/lib/postgresql17/bin',
    '/Library/PostgreSQL/17/bin',
  ])
    t.ok(folders.includes(folder), folder)
  t.end()
})
