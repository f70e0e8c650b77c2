import { constants } from 'node:fs'
import { access, readFile, stat } from 'node:fs/promises'

export { inodeOf, makeFolder, writeAtomic } from '../../kernel/system/files.ts'

/** Returns a JSON file's value; undefined when the file is missing or not readable as JSON. */
export async function readJson(file: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(file, 'utf8'))
  } catch {
    return undefined
  }
}

/** Returns whether this process can use a path; by default, whether it exists. */
export async function canAccess(path: string, mode: number = constants.F_OK): Promise<boolean> {
  return access(path, mode).then(
    () => true,
    () => false,
  )
}

/** Returns whether a path is a regular file that this process can run. */
export async function isProgram(path: string): Promise<boolean> {
  if (!(await canAccess(path, constants.X_OK))) return false
  return stat(path).then(
    it => it.isFile(),
    () => false,
  )
}
