import { constants, type Stats } from 'node:fs'
import { access, readFile, stat } from 'node:fs/promises'
import { delimiter, join } from 'node:path'

/** The machine that is probed; a test gives it a folder as root. */
export interface Machine {
  /** `/`; system files are looked for below it. */
  readonly root: string
  readonly env: Readonly<Record<string, string | undefined>>
  readonly uid: number
}

/** A small system file's text; undefined when it cannot be read. */
export async function textOf(machine: Machine, path: string): Promise<string | undefined> {
  return readFile(join(machine.root, path), 'utf8').catch(() => undefined)
}

export async function statOf(machine: Machine, path: string): Promise<Stats | undefined> {
  return stat(join(machine.root, path)).catch(() => undefined)
}

/** Whether we may write to it (and read it). */
export async function isWritable(machine: Machine, path: string): Promise<boolean> {
  return access(join(machine.root, path), constants.R_OK | constants.W_OK).then(
    () => true,
    () => false,
  )
}

/** The first of these programs that is on PATH, or in one of the `also` folders of the system. */
export async function findProgram(
  machine: Machine,
  names: readonly string[],
  also: readonly string[] = [],
): Promise<string | undefined> {
  const onPath = (machine.env['PATH'] ?? '').split(delimiter).filter(folder => folder.startsWith('/'))
  const folders = [...new Set([...onPath, ...also.map(folder => join(machine.root, folder))])]
  const found = await Promise.all(
    names.map(async name => (await Promise.all(folders.map(folder => isProgram(join(folder, name))))).includes(true)),
  )
  return names.find((_, at) => found[at])
}

async function isProgram(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK)
    return (await stat(path)).isFile()
  } catch {
    return false
  }
}
