import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { maintenance, type Target, withClient } from '../server/client.ts'

/** Databases that people make have numbers from here on (FirstNormalObjectId). */
const firstNumber = 16_384

/** The folders of databases in a cluster whose server does not run: by their numbers. */
export async function databaseFolders(cluster: string): Promise<readonly string[]> {
  const names = await readdir(join(cluster, 'base')).catch(() => [])
  return names.filter(name => /^\d+$/.test(name) && Number(name) >= firstNumber)
}

/**
 * Removes the files of databases that were being made when a server was killed: PostgreSQL leaves them behind. Only `folders` that were
 * there before the server's start and belong to no database: none of those can be in the making.
 */
export async function removeOrphans(target: Target, cluster: string, folders: readonly string[]): Promise<void> {
  if (folders.length === 0) return
  await withClient({ ...target, database: maintenance }, async client => {
    const { rows } = await client.query<{ oid: string }>('SELECT oid::text AS oid FROM pg_database')
    const known = new Set(rows.map(({ oid }) => oid))
    const orphans = folders.filter(name => !known.has(name))
    for (const name of orphans) await rm(join(cluster, 'base', name), { recursive: true, force: true })
  })
}
