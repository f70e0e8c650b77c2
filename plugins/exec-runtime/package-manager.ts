import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { readTextFileNow } from '../../kernel/plugin.ts'

const managers = ['npm', 'pnpm', 'yarn', 'bun'] as const

/** A program that installs packages and runs their scripts: `<manager> run dev`. */
export type PackageManager = (typeof managers)[number]

/** What each leaves behind, best first: npm's lock file is often left over when a project has moved to another. */
const traces: readonly (readonly [file: string, manager: PackageManager])[] = [
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
 * The package manager of the package in a folder: what `packageManager` or `devEngines.packageManager` of its package.json says, else
 * whose lock file lies beside it, else the same of the folders above in its repository, as in workspaces; else npm. Throws an Error where
 * `packageManager` names one that is not known.
 */
export function packageManagerOf(manifest: unknown, folder: string): PackageManager {
  const named = text(field(manifest, 'packageManager'))?.split('@', 1)[0]
  if (named !== undefined && known(named) === undefined)
    throw new Error(`unsupported packageManager: use one of ${managers.join(', ')}`)
  const [, ...above] = foldersOf(folder)
  return (
    declared(manifest) ?? traced(folder) ?? first(above, each => declared(manifestIn(each)) ?? traced(each)) ?? 'npm'
  )
}

/** The folder, then those above it up to the root of its repository; outside of one none. */
function foldersOf(folder: string): readonly string[] {
  const folders: string[] = []
  for (let at = folder; ; at = dirname(at)) {
    folders.push(at)
    if (existsSync(join(at, '.git'))) return folders
    if (dirname(at) === at) return [folder]
  }
}

function declared(manifest: unknown): PackageManager | undefined {
  const engines = field(field(manifest, 'devEngines'), 'packageManager')
  const listed: readonly unknown[] = Array.isArray(engines) ? engines : [engines]
  const names = [text(field(manifest, 'packageManager'))?.split('@', 1)[0], ...listed.map(one => field(one, 'name'))]
  return first(names, known)
}

function traced(folder: string): PackageManager | undefined {
  return traces.find(([file]) => existsSync(join(folder, file)))?.[1]
}

function manifestIn(folder: string): unknown {
  try {
    return JSON.parse(readTextFileNow(join(folder, 'package.json'), manifestBytes) ?? '')
  } catch {
    return undefined
  }
}

function known(name: unknown): PackageManager | undefined {
  return managers.find(manager => manager === name)
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
