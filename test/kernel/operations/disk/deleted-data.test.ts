import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { findDeletedData } from '../../../../kernel/operations/disk/deleted-data.ts'
import { identifyFolder } from '../../../../kernel/registry/folder-identity.ts'
import type { KnownProject } from '../../../../kernel/registry/known-project.ts'
import { ref } from '../../registry/projects.ts'

/** A project with data and a folder, in a home of its own. */
function projectIn(t: Test) {
  const home = t.testdir({ data: { services: { shop: { db: { table: 'x' } } } }, shop: {} })
  const [dataFolder, path] = [join(home, 'data'), join(home, 'shop')]
  const folder = identifyFolder(path)
  if (folder === undefined) throw new Error('no identity')
  const { name, domain } = ref(path, 'shop')
  const project: KnownProject = {
    ...{ name, path, domain, wanted: { name, domain }, services: [], ports: {} },
    ...{ pinned: false, usedAt: new Date().toISOString(), folder },
  }
  return { home, dataFolder, path, folder, project }
}

t.test('data belongs to a deleted folder only where that is certain', async t => {
  const { dataFolder, path, folder, project } = projectIn(t)
  const find = async (changes: Partial<KnownProject> = {}) =>
    (await findDeletedData(dataFolder, [{ ...project, ...changes }], [])).map(each => each.path)
  t.strictSame(await find(), [], 'its folder exists')
  rmSync(path, { recursive: true })
  t.strictSame(await find(), [join(dataFolder, 'services', 'shop')])
  const { folder: _, ...unrecorded } = project
  t.strictSame(await findDeletedData(dataFolder, [unrecorded], []), [], 'an earlier version has not recorded it')
  t.strictSame(await find({ folder: { ...folder, dev: folder.dev + 1 } }), [], 'a drive that is not mounted')
  t.strictSame(await find({ name: 'other' }), [], 'without data')
  mkdirSync(path)
  t.strictSame(await find(), [], 'a folder is there again')
})

t.test('what a plugin keeps for a project is data where it can be removed, and its folder was deleted', async t => {
  const { home, dataFolder, path, project } = projectIn(t)
  const removed: string[] = []
  let asked = 0
  const volume = (name: string, of: string) => ({
    ...{ what: 'docker volume', project: of, name, bytes: 5 },
    remove: async () => void removed.push(name),
  })
  const plugin = async () => {
    asked++
    const image = { what: 'docker image', project: 'shop', name: 'image', bytes: 5 }
    return [volume('ours', 'shop'), volume('theirs', 'other'), image, { what: 'files', project: 'shop', path: home }]
  }
  const failing = () => Promise.reject(new Error('no engine'))
  const find = () => findDeletedData(dataFolder, [project], [failing, plugin])
  renameSync(path, `${path}-now`)
  t.strictSame([await find(), asked], [[], 0], 'renamed: no plugin is asked')
  renameSync(`${path}-now`, path)
  rmSync(path, { recursive: true })
  const [files, kept, ...others] = await find()
  t.match(files, { what: 'data', name: null, path: join(dataFolder, 'services', 'shop') })
  t.match(kept, { project: 'shop', what: 'docker volume', name: 'ours', path: null, bytes: 5 })
  t.strictSame(others, [])
  mkdirSync(path)
  await files?.remove()
  await kept?.remove()
  t.strictSame([removed, existsSync(files?.path ?? '')], [[], true], 'a folder is there again')
  rmSync(path, { recursive: true })
  await files?.remove()
  await kept?.remove()
  t.strictSame([removed, existsSync(files?.path ?? '')], [['ours'], false])
})
