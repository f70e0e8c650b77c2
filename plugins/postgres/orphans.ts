import { readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { maintenance, type Target, withClient } from './client.ts'

/** Databases that people make have numbers from here on (FirstNormalObjectId). */
const firstNumber = 16_384

/**
 * Removes the files of databases that were being made when a server was killed: PostgreSQL leaves them behind. Only folders from before
 * the server's start (ms since the epoch) that belong to no database: nobody can be making those now.
 */
export async function removeOrphans(target: Target, cluster: string, startedMs: number): Promise<void> {
  const base = join(cluster, 'base')
  const old: string[] = []
  for (const name of await readdir(base)) {
    if (!/^\d+$/.test(name) || Number(name) < firstNumber) continue
    const found = await stat(join(base, name)).catch(() => undefined)
    if (found !== undefined && found.ctimeMs < startedMs) old.push(name)
  }
  if (old.length === 0) return
  await withClient({ ...target, database: maintenance }, async client => {
    const { rows } = await client.query<{ oid: string }>('SELECT oid::text AS oid FROM pg_database')
    const known = new Set(rows.map(({ oid }) => oid))
    for (const name of old) if (!known.has(name)) await rm(join(base, name), { recursive: true, force: true })
  })
}
