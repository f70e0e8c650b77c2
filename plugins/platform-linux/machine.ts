import { constants, type Stats } from 'node:fs'
import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { canAccess } from '../lib/files.ts'
import { findProgram, pathFolders } from '../lib/programs.ts'

/** The machine that is probed; a test uses a folder as root. */
export interface Machine {
  /** `/`; the root of system files. */
  readonly root: string
  readonly env: Readonly<Record<string, string | undefined>>
  readonly uid: number
}

/** Returns a small system file's text; undefined when it cannot be read. */
export async function textOf(machine: Machine, path: string): Promise<string | undefined> {
  return readFile(join(machine.root, path), 'utf8').catch(() => undefined)
}

export async function statOf(machine: Machine, path: string): Promise<Stats | undefined> {
  return stat(join(machine.root, path)).catch(() => undefined)
}

/** Returns whether this process may read and write a path. */
export async function isWritable(machine: Machine, path: string): Promise<boolean> {
  return canAccess(join(machine.root, path), constants.R_OK | constants.W_OK)
}

/** Returns the path of the first of these programs that is on PATH, or in one of the `systemFolders`. */
export async function findProgramOn(
  machine: Machine,
  names: readonly string[],
  systemFolders: readonly string[] = [],
): Promise<string | undefined> {
  const folders = systemFolders.map(folder => join(machine.root, folder))
  return findProgram(names, [...pathFolders(machine.env['PATH']), ...folders])
}
