import { join } from 'node:path'
import { findProgram, pathFolders, runProgram } from '../../lib/programs.ts'

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

/** Default time limit: ms. */
const usualMs = 20_000

/** Folders besides those of PATH, which a daemon that the system starts may have little of: Homebrew's, too, where programs stay unlinked. */
const besides: Partial<Record<NodeJS.Platform, readonly string[]>> = {
  darwin: ['/opt/homebrew/bin', '/usr/local/bin', '/opt/homebrew/opt/nss/bin', '/usr/local/opt/nss/bin'],
  linux: ['/usr/sbin', '/sbin'],
}

/** Returns a program's path, from PATH and the folders besides; undefined where it is not installed. */
export async function find(machine: Machine, name: string): Promise<string | undefined> {
  const more = (besides[machine.os] ?? []).map(folder =>
    machine.os === 'darwin' ? join(machine.root, folder) : folder,
  )
  return findProgram([name], [...pathFolders(machine.path), ...more])
}

/** Runs a program for at most 20 s. Never rejects; `text` is all it printed. */
export async function run(
  program: string,
  args: readonly string[],
  input = '',
): Promise<{ readonly ok: boolean; readonly text: string }> {
  const { code, stdout, stderr } = await runProgram(program, args, { input, timeoutMs: usualMs })
  return { ok: code === 0, text: stdout + stderr }
}
