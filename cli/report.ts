import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { exitCodeOf, LocaldError, messageOf, type Problem } from '../kernel/errors.ts'
import { resolvePaths } from '../kernel/paths.ts'
import { printJson, say } from './output.ts'

/** Tells the person (or, with `--json`, the script) what went wrong; the result is the exit code. */
export function report(error: unknown, argv: readonly string[]): number {
  const told = LocaldError.is(error) ? error : crash(error)
  const end = argv.indexOf('--')
  const asksJson = (end < 0 ? argv : argv.slice(0, end)).includes('--json')
  if (asksJson) printJson({ error: told.toJSON() })
  else say(explain(told))
  return exitCodeOf(told.code)
}

/** An error as text: what happened, the places it was found at, what to do about it. */
export function explain(error: LocaldError): string {
  const lines = [`Error: ${error.message} [${error.code}]`]
  for (const problem of error.problems) {
    if (error.problems.length > 1 || !error.message.includes(problem.message)) lines.push(`  ${place(problem)}`)
  }
  lines.push(
    `Hint: ${error.hint ?? error.problems.find(problem => problem.hint !== undefined)?.hint ?? lastResort(error)}`,
  )
  return lines.join('\n')
}

function place({ file, line, key, message, hint }: Problem): string {
  const shown = file === undefined ? undefined : nearer(file)
  const where = [shown === undefined ? undefined : line === undefined ? shown : `${shown}:${line}`, key]
  const text = [...where.filter(part => part !== undefined), message].join(': ')
  return hint === undefined ? text : `${text} (${hint})`
}

/** A path below the current folder, as one would type it. */
function nearer(file: string): string {
  const path = relative(process.cwd(), file)
  return path === '' || path.startsWith('..') ? file : path
}

function lastResort(error: LocaldError): string {
  return exitCodeOf(error.code) === 2 ? 'locald --help lists the commands' : 'locald doctor checks this machine'
}

/** A bug: its stack goes to a file, as it helps only who mends it. Neither environment nor words are written down. */
function crash(error: unknown): LocaldError {
  const stack = error instanceof Error ? error.stack : String(error)
  const text = `locald ${versionOf()}, node ${process.version}, ${new Date().toISOString()}\n${stack}\n`
  const name = `cli-${new Date().toISOString().replaceAll(':', '')}-${process.pid}.txt`
  const file = [crashFolder, tmpdir].map(folder => keep(folder, name, text)).find(path => path !== undefined)
  const hint = file === undefined ? 'its report could not be written' : `please report it with ${file}`
  return new LocaldError('INTERNAL', `a bug of locald: ${messageOf(error)}`, { hint, cause: error })
}

function crashFolder(): string {
  return resolvePaths({ env: process.env }).crash
}

function keep(folder: () => string, name: string, text: string): string | undefined {
  try {
    mkdirSync(folder(), { recursive: true, mode: 0o700 })
    const file = join(folder(), name)
    writeFileSync(file, text, { mode: 0o600, flag: 'wx' })
    return file
  } catch {
    return undefined
  }
}

/** The version of the package this file belongs to. */
export function versionOf(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8')
  const { version }: { version: string } = JSON.parse(text)
  return version
}
