import { constants } from 'node:fs'
import { access, stat } from 'node:fs/promises'
import { delimiter, join } from 'node:path'

/** The machine whose stores are meant; a test gives it folders of its own. */
export interface Machine {
  readonly os: NodeJS.Platform
  readonly uid: number
  /** `/`; system files are looked for below it. */
  readonly root: string
  readonly home: string
  readonly path: string
  /** Folder of locald's own programs. */
  readonly native: string
}

/** What came of running a program; `text` is all it printed. */
export interface Ran {
  readonly ok: boolean
  readonly text: string
}

/** How long a program may take, ms. */
const usualMs = 20_000

/** Folders besides those of PATH, which a daemon that the system starts may have little of: Homebrew's, too, where programs stay unlinked. */
const besides: Partial<Record<NodeJS.Platform, readonly string[]>> = {
  darwin: ['/opt/homebrew/bin', '/usr/local/bin', '/opt/homebrew/opt/nss/bin', '/usr/local/opt/nss/bin'],
  linux: ['/usr/sbin', '/sbin'],
}

/** The program's path, from PATH and the folders besides; undefined where it is not installed. */
export async function find(machine: Machine, name: string): Promise<string | undefined> {
  const more = (besides[machine.os] ?? []).map(folder =>
    machine.os === 'darwin' ? join(machine.root, folder) : folder,
  )
  const folders = [...machine.path.split(delimiter), ...more].filter(folder => folder.startsWith('/'))
  for (const folder of folders) {
    const file = join(folder, name)
    if (await isProgram(file)) return file
  }
  return undefined
}

/** Runs a program without a shell, and ends it after 20 s. Never rejects. */
export async function run(program: string, args: readonly string[], input = ''): Promise<Ran> {
  // Imported when first used: it takes 100 ms and 14 MB, and most daemons run no program through it.
  const { execa } = await import('execa')
  const { exitCode, all } = await execa(program, args, { all: true, reject: false, input, timeout: usualMs })
  return { ok: exitCode === 0, text: all ?? '' }
}

export async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  )
}

async function isProgram(file: string): Promise<boolean> {
  try {
    await access(file, constants.X_OK)
    return (await stat(file)).isFile()
  } catch {
    return false
  }
}
