import { randomBytes } from 'node:crypto'
import { lstat, readlink, rename, rm, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { systemCode } from '../errors.ts'
import { packageFolder } from '../system/package.ts'

/**
 * Lets the plugins in a folder import `locald/plugin`: it gets a link to this very package, made anew when locald has moved, so that
 * nobody has to install a second locald beside the plugins. A real folder of that name, of somebody who did, is left as it is.
 */
export async function lendPackage(folder: string): Promise<void> {
  const link = join(folder, 'node_modules', 'locald')
  if ((await targetOf(link)) === packageFolder || (await isFolder(link))) return
  const temporary = `${link}.${randomBytes(4).toString('hex')}`
  try {
    await symlink(packageFolder, temporary, 'dir')
    await rename(temporary, link)
  } catch (error) {
    await rm(temporary, { force: true })
    // A plugin that needs it will say so, and many do not.
    if (systemCode(error) === undefined) throw error
  }
}

async function targetOf(link: string): Promise<string | undefined> {
  return readlink(link).catch(() => undefined)
}

async function isFolder(path: string): Promise<boolean> {
  return (await lstat(path).catch(() => undefined))?.isDirectory() === true
}
