import { writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { exitCodeOf, LocaldError, messageOf, type Problem } from '../../kernel/errors.ts'
import { isBelow } from '../../kernel/lib/subpath.ts'
import { createFolder } from '../../kernel/system/create-folder.ts'
import { versionOf } from '../../kernel/system/package.ts'
import { otherOwnerAbove } from '../../kernel/system/paths.ts'
import { printJson, printStderr } from './terminal.ts'

/**
 * Prints the error (JSON with `--json` in the arguments); the result is the exit code. The stack of an internal error
 * is written to `crashFolder`, or to the temporary folder.
 */
export function reportError(error: unknown, argv: readonly string[], crashFolder?: string): number {
  const reported = LocaldError.is(error) ? error : internalError(error, crashFolder)
  const end = argv.indexOf('--')
  const asksJson = (end < 0 ? argv : argv.slice(0, end)).includes('--json')
  if (asksJson) printJson({ error: reported.toJSON() })
  else printStderr(formatError(reported))
  return exitCodeOf(reported.code)
}

/** Returns an error as text: what failed, where, and what to do about it. */
export function formatError(error: LocaldError): string {
  const { problems } = error
  const [first, ...more] = error.message.split('\n')
  const lines = [`Error: ${first} [${error.code}]`, ...more]
  for (const problem of problems) {
    if (!error.message.includes(problem.message)) lines.push(`  ${formatProblem(problem)}`)
    else if (problem.line !== undefined && !error.message.includes(`:${problem.line}: `))
      lines.push(`  ${placeOf(problem).join(': ')}`)
  }
  const hint = error.hint ?? (problems.length === 1 ? problems[0]?.hint : undefined) ?? defaultHint(error)
  return [...lines, `Hint: ${hint}`].join('\n')
}

/** Returns a path relative to the folder when it is below it. */
export function shortenPath(file: string, folder: string): string {
  return isBelow(file, folder) ? relative(folder, file) : file
}

function formatProblem(problem: Problem): string {
  const { message, hint } = problem
  const text = [...placeOf(problem), message].join(': ')
  return hint === undefined ? text : `${text} (${hint})`
}

/** Returns where a problem is: file with line, and key. */
function placeOf({ file, line, key }: Problem): readonly string[] {
  const where =
    file === undefined ? undefined : shortenPath(file, process.cwd()) + (line === undefined ? '' : `:${line}`)
  return [where, key].flatMap(part => part ?? [])
}

function defaultHint(error: LocaldError): string {
  return exitCodeOf(error.code) === 2 ? 'See `locald --help`.' : 'Run `locald doctor`.'
}

/** Writes the stack of a bug to a file, as only its fixer needs it; neither the environment nor the arguments. */
function internalError(error: unknown, crashFolder: string | undefined): LocaldError {
  const time = new Date().toISOString()
  const stack = error instanceof Error ? error.stack : String(error)
  const text = `locald ${versionOf()}, node ${process.version}, ${time}\n${stack}\n`
  const name = `locald-cli-${time.replaceAll(':', '')}-${process.pid}.txt`
  const file =
    (crashFolder === undefined ? undefined : writeReport(crashFolder, name, text)) ?? writeReport(tmpdir(), name, text)
  const hint =
    file === undefined ? 'Report it to the maintainers; writing a crash report failed.' : `Report it with ${file}`
  return new LocaldError('INTERNAL', `internal error: ${messageOf(error)}`, { hint, cause: error })
}

function writeReport(folder: string, name: string, text: string): string | undefined {
  // Root writes nothing to a user's home.
  if (otherOwnerAbove(folder) !== undefined) return undefined
  try {
    createFolder(folder, 0o700)
    const file = join(folder, name)
    writeFileSync(file, text, { mode: 0o600, flag: 'wx' })
    return file
  } catch {
    return undefined
  }
}
