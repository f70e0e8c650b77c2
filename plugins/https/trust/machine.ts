import { join } from 'node:path'
import { findProgram, pathFolders, runProgram } from '../../lib/programs.ts'

/** The machine whose stores are changed; tests use folders of their own. */
export interface StoreMachine {
  readonly os: NodeJS.Platform
  readonly uid: number
  /** `/`; the root of system files. */
  readonly root: string
  readonly home: string
  readonly path: string
  /** Folder of locald's own programs. */
  readonly native: string
}

/** Time limit: ms. */
const usualMs = 20_000

/**
 * Folders besides PATH, which is short in a daemon that the system starts: also Homebrew's, where programs stay
 * unlinked.
 */
const besides: Partial<Record<NodeJS.Platform, readonly string[]>> = {
  darwin: ['/opt/homebrew/bin', '/usr/local/bin', '/opt/homebrew/opt/nss/bin', '/usr/local/opt/nss/bin'],
  linux: ['/usr/sbin', '/sbin'],
}

/** Returns a program's path, from PATH and the folders besides; undefined when it is not installed. */
export async function findTool(machine: StoreMachine, name: string): Promise<string | undefined> {
  const more = (besides[machine.os] ?? []).map(folder =>
    machine.os === 'darwin' ? join(machine.root, folder) : folder,
  )
  return findProgram([name], [...pathFolders(machine.path), ...more])
}

/** Runs a program for at most 20 s. Never rejects; `text` is all its output. */
export async function runTool(
  program: string,
  args: readonly string[],
  input = '',
): Promise<{ readonly ok: boolean; readonly text: string }> {
  const { code, stdout, stderr } = await runProgram(program, args, { input, timeoutMs: usualMs })
  return { ok: code === 0, text: stdout + stderr }
}
