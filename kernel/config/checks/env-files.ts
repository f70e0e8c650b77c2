import { join, resolve } from 'node:path'
import type { Problems } from '../document/problems.ts'
import { own } from '../document/table.ts'
import { type EnvFiles, isStream } from '../sources/env-files.ts'
import type { ReadService } from '../tables/service.ts'

/** What has files with variables: a project, its services and its `up`. */
export interface EnvFileUsers {
  readonly root: string
  readonly services: readonly ReadService[]
  /** Of the `up`. */
  readonly added: readonly string[]
}

/**
 * Checks the `.env` and `env_file` files and returns the absolute paths of those to watch. Problems are noted now,
 * before any service starts. A pipe or a device is neither read nor watched: an `up` reads it.
 */
export async function checkEnvFiles(
  { root, services, added }: EnvFileUsers,
  files: EnvFiles,
  problems: Problems,
): Promise<readonly string[]> {
  const implicit = join(root, '.env')
  const listed = services.flatMap(({ plan, table }) => {
    const path = ['services', plan.name, 'env_file']
    const isArray = Array.isArray(own(table, 'env_file'))
    return plan.common.envFile.map((written, index) => ({ written, path: isArray ? [...path, index] : path }))
  })
  const check = async (file: string, folderOk: boolean, missing: () => void) => {
    if (await isStream(file)) return []
    try {
      if ((await files.read(file, folderOk)) === undefined) missing()
    } catch (error) {
      problems.addUnread(file, error)
    }
    return [file]
  }
  const checks = listed.map(({ written, path }) =>
    check(resolve(root, written), false, () => problems.add(path, { message: `file '${written}' does not exist` })),
  )
  const ofUp = added.map(file =>
    check(file, false, () => problems.add([], { message: `file '${file}' of --env-file does not exist` })),
  )
  return (await Promise.all([check(implicit, true, () => {}), ...ofUp, ...checks])).flat()
}
