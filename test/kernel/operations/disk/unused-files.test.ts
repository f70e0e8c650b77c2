import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { findDeletedData } from '../../../../kernel/operations/disk/unused-files.ts'
import { identifyFolder } from '../../../../kernel/registry/folder-identity.ts'
import type { KnownProject } from '../../../../kernel/registry/known-project.ts'
import { ref } from '../../registry/projects.ts'

t.test('data belongs to a deleted folder only where that is certain', async t => {
  const home = t.testdir({ data: { services: { shop: { db: { table: 'x' } } } }, shop: {} })
  const [dataFolder, path] = [join(home, 'data'), join(home, 'shop')]
  const folder = identifyFolder(path)
  if (folder === undefined) throw new Error('no identity')
  const { name, domain } = ref(path, 'shop')
  const project: KnownProject = {
    ...{ name, path, domain, wanted: { name, domain }, services: [], ports: {} },
    ...{ pinned: false, usedAt: new Date().toISOString(), folder },
  }
  const find = async (changes: Partial<KnownProject> = {}) =>
    (await findDeletedData(dataFolder, [{ ...project, ...changes }])).map(each => each.path)
  t.strictSame(await find(), [], 'its folder exists')
  rmSync(path, { recursive: true })
  t.strictSame(await find(), [join(dataFolder, 'services', 'shop')])
  const { folder: _, ...unrecorded } = project
  t.strictSame(await findDeletedData(dataFolder, [unrecorded]), [], 'an earlier version has not recorded it')
  t.strictSame(await find({ folder: { ...folder, dev: folder.dev + 1 } }), [], 'a drive that is not mounted')
  t.strictSame(await find({ name: 'other' }), [], 'without data')
  mkdirSync(path)
  t.strictSame(await find(), [], 'a folder is there again')
})
