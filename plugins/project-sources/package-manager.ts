import { lstatSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { readTextFileNow } from '../../kernel/contract/plugin.ts'

const names = ['npm', 'pnpm', 'yarn', 'bun'] as const

/** A program that installs packages and runs their scripts: `<manager> run dev`. */
export type PackageManager = (typeof names)[number]

/**
 * Files that each manager creates, most reliable first: npm's lock file often stays when a project changes to another
 * manager.
 */
const lockFiles: readonly (readonly [file: string, manager: PackageManager])[] = [
  ['bun.lock', 'bun'],
  ['bun.lockb', 'bun'],
  ['pnpm-lock.yaml', 'pnpm'],
  ['pnpm-workspace.yaml', 'pnpm'],
  ['yarn.lock', 'yarn'],
  ['.pnp.cjs', 'yarn'],
  ['package-lock.json', 'npm'],
  ['npm-shrinkwrap.json', 'npm'],
]
const manifestBytes = 1024 * 1024

/**
 * Returns the package manager of the package in a folder: the one in `packageManager` or `devEngines.packageManager` of
 * its package.json, else the one whose lock file is beside it, else the same of the folders above in its repository, as
 * in workspaces; else npm. Above the folder it trusts only files of the caller, of root and of the package's owner: a
 * manager runs what the files of its workspace say, and in a shared folder anyone can create some. Throws an Error for
 * an unknown `packageManager`.
 */
export function packageManagerOf(manifest: unknown, folder: string): PackageManager {
  const named = text(field(manifest, 'packageManager'))?.split('@', 1)[0]
  if (named !== undefined && toManager(named) === undefined)
    throw new Error(`unsupported packageManager: use one of ${names.join(', ')}`)
  const owners = new Set([process.geteuid?.(), 0, ownerOf(join(folder, 'package.json')) ?? ownerOf(folder)])
  const isTrusted: IsTrusted = file => {
    const owner = ownerOf(file)
    return owner !== undefined && owners.has(owner)
  }
  const [, ...above] = foldersUpTo(folder, isTrusted)
  return (
    declaredManager(manifest) ??
    managerByLockFile(folder, isTrusted) ??
    first(above, each => declaredManager(manifestIn(each, isTrusted)) ?? managerByLockFile(each, isTrusted)) ??
    'npm'
  )
}

/** Returns whether a file exists and its owner is trusted. */
type IsTrusted = (file: string) => boolean

/** Returns the owner's uid, of a link itself; undefined when nothing is there. */
function ownerOf(path: string): number | undefined {
  try {
    return lstatSync(path).uid
  } catch {
    return undefined
  }
}

/** Returns the folder and those above it up to the root of its repository; outside of one only the folder. */
function foldersUpTo(folder: string, isTrusted: IsTrusted): readonly string[] {
  const folders: string[] = []
  for (let at = folder; ; at = dirname(at)) {
    folders.push(at)
    const git = join(at, '.git')
    if (isTrusted(git)) return folders
    if (ownerOf(git) !== undefined || dirname(at) === at) return [folder]
  }
}

function declaredManager(manifest: unknown): PackageManager | undefined {
  const engines = field(field(manifest, 'devEngines'), 'packageManager')
  const listed: readonly unknown[] = Array.isArray(engines) ? engines : [engines]
  const names = [text(field(manifest, 'packageManager'))?.split('@', 1)[0], ...listed.map(one => field(one, 'name'))]
  return first(names, toManager)
}

function managerByLockFile(folder: string, isTrusted: IsTrusted): PackageManager | undefined {
  return lockFiles.find(([file]) => isTrusted(join(folder, file)))?.[1]
}

function manifestIn(folder: string, isTrusted: IsTrusted): unknown {
  const file = join(folder, 'package.json')
  try {
    return isTrusted(file) ? JSON.parse(readTextFileNow(file, manifestBytes) ?? '') : undefined
  } catch {
    return undefined
  }
}

function toManager(name: unknown): PackageManager | undefined {
  return names.find(manager => manager === name)
}

function first<T, R>(items: readonly T[], find: (item: T) => R | undefined): R | undefined {
  for (const item of items) {
    const found = find(item)
    if (found !== undefined) return found
  }
  return undefined
}

function field(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, key) ? Reflect.get(value, key) : undefined
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}
