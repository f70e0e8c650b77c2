import { execFile } from 'node:child_process'
import { delimiter, isAbsolute, join } from 'node:path'
import { messageOf } from '../../kernel/errors.ts'
import { isProgram } from './files.ts'

/** Returns the absolute folders of a PATH: a program in the working directory is not one of the system. */
export function pathFolders(path: string | undefined): readonly string[] {
  return [...new Set((path ?? '').split(delimiter).filter(isAbsolute))]
}

/** Returns the path of the first of these programs in the folders; an earlier name wins over an earlier folder. */
export async function findProgram(names: readonly string[], folders: readonly string[]): Promise<string | undefined> {
  const paths = names.flatMap(name => folders.map(folder => join(folder, name)))
  const found = await Promise.all(paths.map(isProgram))
  return paths.find((_, index) => found[index])
}

/** How a program is run. */
export interface RunOptions {
  /** Its whole environment; default: the daemon's. */
  readonly env?: NodeJS.ProcessEnv
  /** The program is killed after this time: ms. */
  readonly timeoutMs?: number
  readonly input?: string
  readonly signal?: AbortSignal | undefined
}

/** The outcome of a program. */
export interface ProgramResult {
  /** Null: it could not be started, or a signal killed it. */
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
  /** Why `code` is null. */
  readonly failure?: string
}

/** More output is a failure: bytes. `launchctl print` of a domain writes a few hundred kilobytes. */
const maxOutput = 16 * 1024 * 1024

/** Runs a program without a shell and collects its output. Never rejects. */
export function runProgram(
  program: string,
  args: readonly string[],
  { env, timeoutMs = 0, input = '', signal }: RunOptions = {},
): Promise<ProgramResult> {
  return new Promise(resolve => {
    // A program that hangs in the kernel, or ignores SIGTERM, must not block the daemon.
    const limits = { timeout: timeoutMs, killSignal: 'SIGKILL', maxBuffer: maxOutput } as const
    const options = { ...limits, ...(env && { env }), ...(signal && { signal }) }
    const child = execFile(program, args, options, (error, stdout, stderr) => {
      if (error === null) return resolve({ code: 0, stdout, stderr })
      if (typeof error.code === 'number') return resolve({ code: error.code, stdout, stderr })
      // Without a code a signal killed it; only the time limit sends one.
      const isLate = error.killed === true && typeof error.code !== 'string'
      const failure = isLate ? `timed out after ${timeoutMs / 1000} s` : messageOf(error)
      resolve({ code: null, stdout, stderr, failure })
    })
    // It may exit without reading its input.
    child.stdin?.on('error', () => {})
    child.stdin?.end(input)
  })
}
