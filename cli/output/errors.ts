import { mkdirSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { exitCodeOf, LocaldError, messageOf, type Problem } from '../../kernel/errors.ts'
import { versionOf } from '../../kernel/system/package.ts'
import { otherOwnerAbove } from '../../kernel/system/paths.ts'
import { printJson, say } from './terminal.ts'

/**
 * Tells the person (or, with `--json` among the words, the script) what went wrong; the result is the exit code. A report
 * of a bug is put into `crashFolder`, or into the temporary folder.
 */
export function report(error: unknown, argv: readonly string[], crashFolder?: string): number {
  const told = LocaldError.is(error) ? error : bug(error, crashFolder)
  const end = argv.indexOf('--')
  const asksJson = (end < 0 ? argv : argv.slice(0, end)).includes('--json')
  if (asksJson) printJson({ error: told.toJSON() })
  else say(explain(told))
  return exitCodeOf(told.code)
}

/** An error as text: what happened, the places it was found at, what to do about it. */
export function explain(error: LocaldError): string {
  const { problems } = error
  const [first, ...more] = error.message.split('\n')
  const lines = [`Error: ${first} [${error.code}]`, ...more]
  for (const problem of problems) if (!error.message.includes(problem.message)) lines.push(`  ${place(problem)}`)
  const hint = error.hint ?? (problems.length === 1 ? problems[0]?.hint : undefined) ?? lastResort(error)
  return [...lines, `Hint: ${hint}`].join('\n')
}

/** A path as one would type it: relative when it is below the folder. */
export function nearer(file: string, folder: string): string {
  const path = relative(folder, file)
  return path === '' || path.startsWith('..') ? file : path
}

function place({ file, line, key, message, hint }: Problem): string {
  const where = file === undefined ? undefined : nearer(file, process.cwd()) + (line === undefined ? '' : `:${line}`)
  const text = [where, key, message].filter(part => part !== undefined).join(': ')
  return hint === undefined ? text : `${text} (${hint})`
}

function lastResort(error: LocaldError): string {
  return exitCodeOf(error.code) === 2 ? '`locald --help` lists the commands.' : '`locald doctor` checks this machine.'
}

/** A bug: its stack goes to a file, as it helps only who mends it. Neither environment nor words are written down. */
function bug(error: unknown, crashFolder: string | undefined): LocaldError {
  const time = new Date().toISOString()
  const stack = error instanceof Error ? error.stack : String(error)
  const text = `locald ${versionOf()}, node ${process.version}, ${time}\n${stack}\n`
  const name = `locald-cli-${time.replaceAll(':', '')}-${process.pid}.txt`
  const file = (crashFolder === undefined ? undefined : keep(crashFolder, name, text)) ?? keep(tmpdir(), name, text)
  const hint = file === undefined ? 'Its report could not be written.' : `Please report it with ${file}`
  return new LocaldError('INTERNAL', `a bug of locald: ${messageOf(error)}`, { hint, cause: error })
}

function keep(folder: string, name: string, text: string): string | undefined {
  // Root leaves nothing in a user's home.
  if (otherOwnerAbove(folder) !== undefined) return undefined
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    const file = join(folder, name)
    writeFileSync(file, text, { mode: 0o600, flag: 'wx' })
    return file
  } catch {
    return undefined
  }
}
