import { execFile } from 'node:child_process'
import { accessSync, existsSync, lstatSync } from 'node:fs'
import { constants, open, rm } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { Trust } from '../../kernel/config/trust/trust.ts'
import { realPathIfAny } from '../../kernel/lib/real-path.ts'
import { worktreeIn } from '../../kernel/registry/git-worktree.ts'
import { findProjectFolder } from '../args/folder.ts'

/** Files with variables that the main checkout has and a linked git worktree has not. */
export interface MissingEnvFiles {
  /** The project's folder in the worktree. */
  readonly folder: string
  /** The same folder in the main checkout. */
  readonly main: string
  readonly names: readonly string[]
}

/** ms */
const gitLimitMs = 5000
const maxBytes = 1024 * 1024
/** Folders of services that are looked into, and how far below the project. */
const mostFolders = 500
const mostLevels = 3

/** Returns the project's folder: the nearest with a `locald.toml`, up to the root of the checkout; else the one given. */
export function projectFolder(path: string): string {
  const start = realPathIfAny(path) ?? path
  return findProjectFolder(start, folder => existsSync(join(folder, '.git'))) ?? start
}

/**
 * Returns the `.env` and `.env.*` files of a project and its services' folders in the main checkout that git ignores and
 * the linked worktree has not; undefined outside of a linked worktree that its repository lists.
 */
export async function findMissing(folder: string, dataFolder: string): Promise<MissingEnvFiles | undefined> {
  const { gitDir, mainCheckout: main } = worktreeIn(folder) ?? {}
  if (gitDir === undefined || main === undefined) return undefined
  // A link in the main checkout may lead out of it, to another repository.
  const repository = await git(main, ['rev-parse', '--git-common-dir']).catch(() => '')
  if (realPathIfAny(resolve(main, repository.trim())) !== realPathIfAny(join(gitDir, '..', '..'))) return undefined
  const ignored = ['ls-files', '-z', '--others', '--ignored', '--exclude-standard', '--']
  const patterns = (await envFoldersIn(folder)).flatMap(each => [join(each, '.env'), `${join(each, '.env')}.*`])
  const listed = (await git(main, [...ignored, ...patterns]).catch(() => '')).split('\0')
  const trust = new Trust({ shell: process.env, dataFolder })
  const names = listed.filter(name => {
    // Folders are matched as well, with what is in them. No terminal shows names with control characters as they are.
    if (!/^\.env(?:\.|$)/.test(basename(name)) || /\p{Cc}/u.test(name) || isThere(join(folder, name))) return false
    if (!existsSync(join(folder, dirname(name)))) return false
    const file = join(main, name)
    const stats = lstatSync(file, { throwIfNoEntry: false })
    const isOffered = stats?.isFile() === true && stats.size <= maxBytes && isReadable(file)
    return isOffered && trust.refusal(file, [stats.uid], main) === undefined
  })
  return { folder, main, names: names.toSorted() }
}

/**
 * Returns the folders of a worktree in which a project may have such files, relative to it: itself, and those of services.
 * Folders that git has in the worktree are few: those that it ignores are not there yet.
 */
async function envFoldersIn(folder: string): Promise<readonly string[]> {
  const tracked = await git(folder, ['ls-files', '-z']).catch(() => '')
  const folders = tracked.split('\0').map(dirname)
  const near = folders.filter(each => each.split('/').length <= mostLevels && !/[*?[\\]|\p{Cc}/u.test(each))
  return ['.', ...new Set(near)].slice(0, mostFolders)
}

function isReadable(file: string): boolean {
  try {
    accessSync(file, constants.R_OK)
    return true
  } catch {
    return false
  }
}

/** Copies the files with their modes. Follows no link and overwrites nothing: throws the system's errors instead. */
export async function copyMissing({ folder, main, names }: MissingEnvFiles): Promise<void> {
  for (const name of names) {
    const source = await open(join(main, name), constants.O_RDONLY | constants.O_NOFOLLOW)
    try {
      const { mode } = await source.stat()
      const content = await source.readFile()
      const path = join(folder, name)
      const target = await open(path, 'wx', mode & 0o777)
      try {
        await target.writeFile(content)
      } catch (error) {
        // A part of it would be taken for the whole.
        await rm(path, { force: true })
        throw error
      } finally {
        await target.close()
      }
    } finally {
      await source.close()
    }
  }
}

/** Whether anything has the name, also a link that leads nowhere. */
function isThere(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined
}

/** Runs git in a folder, without the caller's GIT_DIR and the like, which a hook of git sets. */
async function git(folder: string, args: readonly string[]): Promise<string> {
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('GIT_')))
  const own = ['-C', folder, '-c', 'core.fsmonitor=false', ...args]
  const { stdout } = await promisify(execFile)('git', own, { env, timeout: gitLimitMs })
  return stdout
}
