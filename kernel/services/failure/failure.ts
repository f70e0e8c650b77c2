import { dirname, join } from 'node:path'
import { readTextFile } from '../../lib/text-file.ts'
import { exists } from '../../system/stat.ts'
import { type Cause, causeOf } from './cause.ts'
import { pythonInstaller } from './python-packages.ts'

/** What the cause of a failure is found from. */
export interface FailureInput {
  /** The output of the run, without escape sequences. */
  readonly lines: readonly string[]
  /** null: it still runs, or a signal terminated it. */
  readonly code: number | null
  readonly runs: boolean
  /** Whether its programs, packages and ports are not those of this machine. */
  readonly isGuest?: boolean
  /** Its working folder, and the folder of its project. */
  readonly dir: string
  readonly root: string
  /** Finds the program that listens on a port. */
  readonly holder: (port: number) => Promise<string | undefined>
}

/** The command that installs the packages, by lockfile. */
const installers = [
  ['pnpm-lock.yaml', 'pnpm install'],
  ['yarn.lock', 'yarn install'],
  ['bun.lock', 'bun install'],
  ['bun.lockb', 'bun install'],
] as const

/** Package managers that no project installs for itself. */
const managers: readonly string[] = ['pnpm', 'yarn', 'bun']

/**
 * Explains in one line why a run failed or does not get ready, with a remedy; undefined when its output does not say.
 */
export async function explain(input: FailureInput): Promise<string | undefined> {
  const cause = causeOf(input)
  if (cause === undefined) return undefined
  if (input.isGuest === true) return cause.text
  const more = (await packagesHint(cause, input)) ?? (await pythonHint(cause, input)) ?? (await portHint(cause, input))
  return more === undefined ? cause.text : `${cause.text} (${more})`
}

async function portHint({ port }: Cause, { holder }: FailureInput): Promise<string | undefined> {
  const who = port === undefined ? undefined : await holder(port)
  return who === undefined ? undefined : `port ${port} is in use by ${who}`
}

async function pythonHint({ pythonModule }: Cause, { dir, root }: FailureInput): Promise<string | undefined> {
  if (pythonModule === undefined) return undefined
  const isInferred = !(await exists(join(root, 'locald.toml')))
  return await pythonInstaller({ name: pythonModule, folders: foldersUpTo(dir, root), isInferred, read: textOf })
}

/** Explains why a command or a package was not found. */
async function packagesHint({ command, module }: Cause, { dir, root }: FailureInput): Promise<string | undefined> {
  const name = module ?? command
  if (name === undefined || command?.includes('/') === true) return undefined
  const folders = foldersUpTo(dir, root)
  const manifest = await firstWith(folders, 'package.json')
  if (manifest === undefined) return undefined
  if (command !== undefined && managers.includes(command)) return `run \`npm install -g ${command}\``
  const installer = await installerOf(folders, join(manifest, 'package.json'))
  if ((await firstWith(folders, 'node_modules')) === undefined)
    return `node_modules is missing: run \`${installer}\` in ${manifest}`
  return (await isNamed(join(manifest, 'package.json'), name))
    ? `package.json names it, and it is not installed: run \`${installer}\` in ${manifest}`
    : undefined
}

function foldersUpTo(dir: string, root: string): readonly string[] {
  const folders = [dir]
  for (let at = dir; at !== root && at !== dirname(at); ) {
    at = dirname(at)
    folders.push(at)
  }
  return folders.includes(root) ? folders : [dir]
}

async function firstWith(folders: readonly string[], name: string): Promise<string | undefined> {
  for (const folder of folders) if (await exists(join(folder, name))) return folder
  return undefined
}

async function installerOf(folders: readonly string[], manifest: string): Promise<string> {
  const [, named] = /"packageManager"\s*:\s*"(npm|pnpm|yarn|bun)\b/.exec(await textOf(manifest)) ?? []
  if (named !== undefined) return `${named} install`
  for (const [file, command] of installers) if ((await firstWith(folders, file)) !== undefined) return command
  return 'npm install'
}

async function isNamed(manifest: string, name: string): Promise<boolean> {
  return (await textOf(manifest)).includes(`"${name}"`)
}

async function textOf(file: string): Promise<string> {
  const read = await readTextFile(file)
  return read !== undefined && 'text' in read ? read.text : ''
}
