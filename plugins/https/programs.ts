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
}

/** What came of running a program; `text` is all it printed. */
export interface Ran {
  readonly ok: boolean
  readonly text: string
}

/** How long a program may take where nothing else is said, ms. */
const usualMs = 20_000

/** The program's path, from PATH and the system administrator's folders; undefined where it is not installed. */
export async function find(machine: Machine, name: string): Promise<string | undefined> {
  const folders = [...machine.path.split(delimiter), '/usr/sbin', '/sbin'].filter(folder => folder.startsWith('/'))
  for (const folder of folders) {
    const file = join(folder, name)
    if (await isProgram(file)) return file
  }
  return undefined
}

/** Runs a program without a shell or any input, and ends it after `limitMs`. Never rejects. */
export async function run(program: string, args: readonly string[], limitMs = usualMs): Promise<Ran> {
  // Imported when first used: it takes 100 ms and 14 MB, and most daemons run no program through it.
  const { execa } = await import('execa')
  const { exitCode, all } = await execa(program, args, { all: true, reject: false, stdin: 'ignore', timeout: limitMs })
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
