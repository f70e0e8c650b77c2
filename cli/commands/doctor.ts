import { spawnSync } from 'node:child_process'
import { LocaldError } from '../../kernel/errors.ts'
import type { CheckView, DoctorAnswer } from '../../kernel/protocol.ts'
import { versionOf } from '../../kernel/system/package.ts'
import type { Context } from '../context.ts'
import { findOtherVersion, requireDaemon } from '../daemon/client.ts'
import { type Paint, painter, print, printJson, printStderr, type Style } from '../output/terminal.ts'

const styles: Readonly<Record<CheckView['status'], Style>> = {
  pass: 'green',
  warn: 'yellow',
  fail: 'red',
  skip: 'gray',
}

/** `locald doctor`: exit code 1 only for a critical failure. A daemon that fails to start is one. */
export async function doctor(context: Context): Promise<number> {
  const first = await askDaemon(context)
  const todo = context.args.flags.has('fix') ? first.commands.filter(({ root }) => !root) : []
  const ran = todo.map(({ command }) => ({ command, exitCode: runFix(context, command) }))
  const answer = ran.length === 0 ? first : await askDaemon(context)
  if (context.json) printJson(context.args.flags.has('fix') ? { ...answer, ran } : answer)
  else print(formatChecks(answer, context.args.flags.has('verbose'), painter(process.stdout)))
  return answer.checks.some(check => check.severity === 'critical' && check.status === 'fail') ? 1 : 0
}

/** Runs one fix. Its output is progress, not the result: it goes to stderr. */
function runFix({ paths }: Context, command: string): number | null {
  printStderr(`Running: ${command}`)
  const own = /^locald ([^|&;<>()$`'"\\]+)$/.exec(command)?.[1]
  const [program, ...words] =
    own === undefined ? ['sh', '-c', command] : [process.execPath, process.argv[1] ?? '', ...own.split(' ')]
  const env = { ...process.env, ...(paths.sandbox === undefined ? {} : { LOCALD_SANDBOX: paths.sandbox }) }
  return spawnSync(program, words, { env, stdio: ['inherit', process.stderr, process.stderr] }).status
}

async function askDaemon(context: Context): Promise<DoctorAnswer> {
  try {
    const answer = await (await requireDaemon(context.paths)).get<DoctorAnswer>('/v1/doctor')
    return withVersion(answer, findOtherVersion(context.paths))
  } catch (error) {
    if (!LocaldError.is(error)) throw error
    const fix = error.hint ?? null
    const check = {
      plugin: 'kernel',
      id: 'daemon',
      severity: 'critical',
      status: 'fail',
      summary: error.message,
      fix,
    } as const
    return { ok: false, checks: [check], fixes: fix === null ? [] : [fix], commands: [] }
  }
}

/** Adds a check to the daemon's answer where the daemon is of another version than this command. */
function withVersion(answer: DoctorAnswer, version: string | undefined): DoctorAnswer {
  if (version === undefined) return answer
  const fix = 'Run `locald server restart`.'
  const summary = `the daemon is locald ${version}, this command is locald ${versionOf()}`
  const check = { plugin: 'kernel', id: 'daemon-version', severity: 'important', status: 'warn', summary, fix } as const
  return {
    ...answer,
    checks: [...answer.checks, check],
    fixes: [...answer.fixes, fix],
    commands: [...answer.commands, { command: fix, root: false }],
  }
}

function formatChecks(answer: DoctorAnswer, isVerbose: boolean, paint: Paint): string {
  const shown = answer.checks.filter(check => isVerbose || check.status === 'warn' || check.status === 'fail')
  const width = Math.max(0, ...shown.map(({ id }) => id.length))
  const lines: string[] = []
  for (const plugin of new Set(shown.map(check => check.plugin))) {
    lines.push(paint('bold', plugin))
    for (const check of shown.filter(each => each.plugin === plugin)) lines.push(formatCheck(check, width, paint))
    lines.push('')
  }
  lines.push(formatCounts(answer.checks))
  if (answer.fixes.length > 0) lines.push('', paint('bold', 'To fix:'), ...answer.fixes.map(fix => `  ${fix}`))
  return lines.join('\n')
}

function formatCheck({ status, severity, id, summary }: CheckView, width: number, paint: Paint): string {
  const weight = status === 'fail' || status === 'warn' ? ` (${severity})` : ''
  return `  ${paint(styles[status], status)}  ${id.padEnd(width)}  ${summary}${weight}`
}

function formatCounts(checks: readonly CheckView[]): string {
  const count = (status: CheckView['status']) => checks.filter(check => check.status === status).length
  const parts: readonly [number, string][] = [
    [count('pass'), 'passed'],
    [count('warn'), count('warn') === 1 ? 'warning' : 'warnings'],
    [count('fail'), 'failed'],
    [count('skip'), 'skipped'],
  ]
  const counted = parts.filter(([number]) => number > 0).map(([number, word]) => `${number} ${word}`)
  return `${checks.length} ${checks.length === 1 ? 'check' : 'checks'}: ${counted.join(', ') || 'none'}`
}
