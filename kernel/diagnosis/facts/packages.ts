import { readdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { readTextFile } from '../../lib/text-file.ts'
import { exists, statIfAny } from '../../system/stat.ts'
import { type Case, clockTime, type Fact, inFolder, likely, listOf, shellWord } from '../fact.ts'
import { foldersOf } from '../subject.ts'
import { lockDifferences } from './npm-lock.ts'

/** A package manager: its lock file, what shows that packages are installed, and the command that installs them. */
interface Manager {
  readonly lock: string
  /** The folder of the packages, and files in it that each installation writes. */
  readonly folder: string
  readonly marks: readonly string[]
  readonly install: string
}

const managers: readonly Manager[] = [
  {
    lock: 'pnpm-lock.yaml',
    folder: 'node_modules',
    marks: ['.modules.yaml'],
    install: 'pnpm install --frozen-lockfile',
  },
  { lock: 'yarn.lock', folder: 'node_modules', marks: ['.yarn-state.yml', '.yarn-integrity'], install: 'yarn install' },
  { lock: 'bun.lock', folder: 'node_modules', marks: ['.'], install: 'bun install' },
  { lock: 'bun.lockb', folder: 'node_modules', marks: ['.'], install: 'bun install' },
  { lock: 'package-lock.json', folder: 'node_modules', marks: ['.package-lock.json'], install: 'npm ci' },
  { lock: 'uv.lock', folder: '.venv', marks: [], install: 'uv sync' },
  { lock: 'poetry.lock', folder: '.venv', marks: [], install: 'poetry install' },
  { lock: 'requirements.txt', folder: '.venv', marks: [], install: '.venv/bin/pip install -r requirements.txt' },
  { lock: 'requirements.txt', folder: 'venv', marks: [], install: 'venv/bin/pip install -r requirements.txt' },
  { lock: 'composer.lock', folder: 'vendor', marks: ['composer/installed.json'], install: 'composer install' },
]

/** Times of files that one installation writes differ by so much: ms. */
const slackMs = 2000

/** Finds packages that are not installed, and lock files that are newer than what is. */
export async function packageFacts(it: Case): Promise<readonly Fact[]> {
  if (it.isGuest) return []
  const found = await findManager(it)
  if (found === undefined) return await missingManifest(it)
  const module = it.evidence.module ?? it.evidence.command
  return [...(await missingPackage(it, found, module)), ...(await newerLock(it, found, module !== undefined))]
}

interface FoundManager extends Manager {
  /** The folder of the lock file. */
  readonly at: string
}

async function findManager(it: Case): Promise<FoundManager | undefined> {
  for (const at of foldersOf(it)) {
    const there = await Promise.all(
      managers.map(async manager => ({
        manager,
        hasLock: await exists(join(at, manager.lock)),
        isInstalled: await exists(join(at, manager.folder)),
      })),
    )
    const locked = there.filter(({ hasLock }) => hasLock)
    // Two lock files: that of the packages that are installed.
    const best = locked.find(({ isInstalled }) => isInstalled) ?? locked[0]
    if (best !== undefined) return { ...best.manager, at }
  }
  return undefined
}

/** Without a lock file there may be a manifest whose packages were never installed. */
async function missingManifest(it: Case): Promise<readonly Fact[]> {
  const { module } = it.evidence
  for (const at of foldersOf(it)) {
    const manifest = join(at, 'package.json')
    if (module !== undefined && (await isNamed(manifest, packageOf(module))))
      return [
        fact(
          likely.named,
          `${packageOf(module)} is in package.json, and not installed`,
          `${inFolder(it.root, at)}npm install`,
        ),
      ]
  }
  return []
}

async function missingPackage(it: Case, { at, folder, install }: FoundManager, module: string | undefined) {
  const command = `${inFolder(it.root, at)}${install}`
  if (!(await exists(join(at, folder)))) {
    const score = module === undefined ? likely.changed : likely.proven
    return [fact(score, `${folder} is missing: no packages are installed`, command)]
  }
  if (folder !== 'node_modules' || module === undefined || it.evidence.module === undefined) return []
  const name = packageOf(module)
  if (await isInstalled(at, name)) return []
  if (await isNamed(join(at, 'package.json'), name))
    return [fact(likely.proven, `${name} is in package.json, and not in node_modules`, command)]
  const manager = install.split(' ')[0] ?? 'npm'
  const add = `${inFolder(it.root, at)}${manager} ${manager === 'npm' ? 'install' : 'add'} ${shellWord(name)}`
  return [fact(likely.reported + 5, `${name} is not in package.json`, add)]
}

async function newerLock(it: Case, manager: FoundManager, isNamed: boolean): Promise<readonly Fact[]> {
  const { at, lock, folder, install } = manager
  const [locked, installedMs] = [await statIfAny(join(at, lock)), await installedAt(manager)]
  if (locked === undefined || installedMs === undefined || locked.mtimeMs <= installedMs + slackMs) return []
  const differences = lock === 'package-lock.json' ? await lockDifferences(at) : undefined
  // The same packages, as after a checkout of another branch and back.
  if (differences?.length === 0) return []
  const isSince = it.before === undefined || locked.ctimeMs > it.before.startedMs
  // What is installed is known to be other than what is locked.
  const isProven = differences !== undefined && isSince
  const score = isNamed ? likely.proven - 1 : isProven ? likely.named + 3 : isSince ? likely.changed + 4 : likely.nearby
  const which = differences === undefined ? '' : `: ${listOf(differences)}`
  return [
    {
      ...fact(
        score,
        `${lock} is newer than ${folder} (${clockTime(locked.mtimeMs)})${which}`,
        `${inFolder(it.root, at)}${install}`,
      ),
      atMs: locked.mtimeMs,
    },
  ]
}

/** Returns when packages were installed last, ms since the epoch. */
async function installedAt({ at, folder, marks }: FoundManager): Promise<number | undefined> {
  const times = await Promise.all(
    [...marks, ...(marks.length === 0 ? await sitePackages(join(at, folder)) : [])].map(
      async mark => (await statIfAny(join(at, folder, mark)))?.mtimeMs,
    ),
  )
  const known = times.filter(time => time !== undefined)
  return known.length === 0 ? undefined : Math.max(...known)
}

/** Returns where a virtual environment has its packages. */
async function sitePackages(venv: string): Promise<readonly string[]> {
  const names = await readdir(join(venv, 'lib')).catch(() => [])
  return names.map(name => join('lib', name, 'site-packages'))
}

/** Returns the package of a module: `@scope/name` of `@scope/name/file.js`. */
function packageOf(module: string): string {
  return module
    .split('/')
    .slice(0, module.startsWith('@') ? 2 : 1)
    .join('/')
}

/** Whether Node finds a package from a folder: there, or in one above. */
async function isInstalled(from: string, name: string): Promise<boolean> {
  for (let at = from; ; at = dirname(at)) {
    if (await exists(join(at, 'node_modules', name, 'package.json'))) return true
    if (at === dirname(at)) return false
  }
}

async function isNamed(manifest: string, name: string): Promise<boolean> {
  const read = await readTextFile(manifest)
  return read !== undefined && 'text' in read && read.text.includes(`"${name}"`)
}

function fact(score: number, text: string, command: string | null): Fact {
  return { score, kind: 'packages', text, command, atMs: null }
}
