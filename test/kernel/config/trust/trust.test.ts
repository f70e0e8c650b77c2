import { chmodSync, lchownSync, linkSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { findProject, loadProject } from '../../../../kernel/config/load.ts'
import { allowPath } from '../../../../kernel/config/trust/allow.ts'
import { Trust } from '../../../../kernel/config/trust/trust.ts'
import { failure, folder, types } from '../projects.ts'
import { web } from '../wrong-files/index.ts'

const needsRoot = { skip: process.getuid?.() === 0 ? false : 'needs root' }

t.test("reads other users' files only after they were allowed", needsRoot, async t => {
  const them = 12345
  const shared = (files: Readonly<Record<string, string>>) => {
    const { root, places } = folder(files)
    const data = join(places.home, 'data')
    const theirs = (...names: string[]) => {
      for (const name of names) lchownSync(join(root, name), them, them)
    }
    const allow = (path: string) => allowPath({ path, dataFolder: data, sources: ['Procfile'] })
    return { root, places: { ...places, data }, theirs, allow }
  }
  const kinds: readonly [string, Readonly<Record<string, string>>][] = [
    ['locald.toml', { 'locald.toml': web }],
    ['Procfile', { Procfile: 'web: x\n' }],
    ['.env', { 'locald.toml': web, '.env': 'A=1\n' }],
    ['conf/a.env', { 'locald.toml': `${web}env_file = "conf/a.env"\n`, 'conf/a.env': 'A=1\n' }],
    ['../.locald.toml', { 'locald.toml': web, '../.locald.toml': '[env]\nA = "1"\n' }],
    ['locald.workspace.toml', { 'locald.toml': web, '.git/HEAD': '', 'locald.workspace.toml': '' }],
  ]
  for (const [name, files] of kinds) {
    const { root, places, theirs, allow } = shared(files)
    theirs(name)
    const error = await failure(loadProject(root, types, places))
    t.equal(error.code, 'CONFIG_UNTRUSTED', name)
    t.match(error.message, /(locald|workspace|Procfile|env|toml): belongs to uid 12345, not to you \(uid 0\)/)
    const [, path = ''] = /^Run `locald config allow (\S+)`/.exec(error.hint ?? '') ?? []
    t.ok(join(root, name).startsWith(path), `${name}: the hint names ${path}`)
    t.match(await allow(path), { owners: [them] }, name)
    await t.resolves(loadProject(root, types, places), `${name} was allowed`)
    lchownSync(join(root, name), 4711, 4711)
    t.match(await failure(loadProject(root, types, places)), { code: 'CONFIG_UNTRUSTED' }, 'of that user only')
  }
  const own = shared({ 'locald.toml': web })
  t.strictSame(await own.allow(own.root), { path: own.root, owners: [] }, 'nothing to allow')
  t.match(await failure(own.allow(join(own.root, 'none'))), { code: 'USAGE' })

  await t.test('checks the owner of a symbolic link', async t => {
    const { root, places, theirs } = shared({ 'mine.toml': web })
    symlinkSync('mine.toml', join(root, 'locald.toml'))
    await t.resolves(loadProject(root, types, places))
    theirs('locald.toml')
    t.match(await failure(loadProject(root, types, places)), { code: 'CONFIG_UNTRUSTED' })
  })

  await t.test('refuses a folder of another user at the path of a file', async t => {
    const { root, places, theirs } = shared({ 'locald.toml': web, '../.locald.toml/x': '', x: '' })
    theirs('../.locald.toml')
    t.match(await failure(loadProject(root, types, places)), {
      code: 'CONFIG_UNTRUSTED',
      hint: /move the project out of/,
    })
  })

  await t.test('checks who could have made a hard link', async t => {
    const { root, places, theirs, allow } = shared({ 'mine.toml': web })
    linkSync(join(root, 'mine.toml'), join(root, 'locald.toml'))
    await t.resolves(loadProject(root, types, places), 'in a folder of mine')
    theirs('.')
    t.match(await failure(loadProject(root, types, places)), { message: /belongs to uid 12345/ }, 'in one of theirs')
    lchownSync(root, 0, 0)
    chmodSync(root, 0o1777)
    t.match(await failure(loadProject(root, types, places)), {
      message: /hard link in a folder that anyone may write to/,
    })
    await allow(root)
    await t.resolves(loadProject(root, types, places))
  })

  await t.test('hints at the command that allows, among several problems', async t => {
    const { root, places, theirs } = shared({ 'locald.toml': `${web}port = 0\n`, '.env': '' })
    theirs('.env')
    t.match(await failure(loadProject(root, types, places)), {
      code: 'CONFIG_INVALID',
      hint: /^Run `locald config allow /,
    })
  })

  await t.test('reads the files of the user who called sudo', async t => {
    const { root, places, theirs } = shared({ 'locald.toml': web })
    theirs('locald.toml')
    const load = (sudo: string) => loadProject(root, types, places, { trust: new Trust({ shell: { SUDO_UID: sudo } }) })
    await t.resolves(load(String(them)))
    for (const other of ['4711', '', `${them}x`])
      t.match(await failure(load(other)), { code: 'CONFIG_UNTRUSTED' }, other)
  })

  await t.test("skips another user's project above the folder", async t => {
    const { root, theirs } = shared({
      'locald.toml': web,
      'none/x': '',
      'own/Procfile': 'web: x\n',
      'in/locald.toml': web,
    })
    theirs('locald.toml')
    const find = async (path: string) => (await findProject(join(root, path), types)).root
    t.match(await failure(find('none')), {
      code: 'CONFIG_UNTRUSTED',
      message: `${root}/locald.toml: belongs to uid 12345, not to you (uid 0)`,
      hint: `Run \`locald config allow ${root}\` if you trust them, or move the project out of ${root}.`,
    })
    t.equal(await find('own'), join(root, 'own'), 'a project of the folder goes first')
    t.equal(await find('in'), join(root, 'in'))
    t.equal(await find('.'), root, 'so that its error is shown')
  })
})
