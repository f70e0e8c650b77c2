import { spawnSync } from 'node:child_process'
import { LocaldError } from '../../kernel/errors.ts'
import type { CheckView, DoctorAnswer } from '../../kernel/protocol.ts'
import { versionOf } from '../../kernel/system/package.ts'
import type { Context } from '../context.ts'
import { need, otherVersion } from '../daemon/client.ts'
import { type Paint, painter, print, printJson, type Style, say } from '../output/terminal.ts'

const styles: Readonly<Record<CheckView['status'], Style>> = {
  pass: 'green',
  warn: 'yellow',
  fail: 'red',
  skip: 'gray',
}

/** `locald doctor`: exit code 1 only for a critical failure. A daemon that cannot start is one. */
export async function doctor(context: Context): Promise<number> {
  const first = await ask(context)
  const todo = context.words.flags.has('fix') ? first.commands.filter(({ root }) => !root) : []
  const ran = todo.map(({ command }) => ({ command, exitCode: mend(context, command) }))
  const answer = ran.length === 0 ? first : await ask(context)
  if (context.json) printJson(context.words.flags.has('fix') ? { ...answer, ran } : answer)
  else print(text(answer, context.words.flags.has('verbose'), await painter(process.stdout)))
  return answer.checks.some(check => check.severity === 'critical' && check.status === 'fail') ? 1 : 0
}

/** Runs one fix. What it says is progress, not the result. */
function mend({ paths }: Context, command: string): number | null {
  say(`Running: ${command}`)
  const own = /^locald ([^|&;<>()$`'"\\]+)$/.exec(command)?.[1]
  const [program, ...words] =
    own === undefined ? ['sh', '-c', command] : [process.execPath, process.argv[1] ?? '', ...own.split(' ')]
  const env = { ...process.env, ...(paths.sandbox === undefined ? {} : { LOCALD_SANDBOX: paths.sandbox }) }
  return spawnSync(program, words, { env, stdio: ['inherit', process.stderr, process.stderr] }).status
}

async function ask(context: Context): Promise<DoctorAnswer> {
  try {
    const answer = await (await need(context.paths)).get<DoctorAnswer>('/v1/doctor')
    return withVersion(answer, otherVersion(context.paths))
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

/** The daemon's answer, and that it is of another version than this command. */
function withVersion(answer: DoctorAnswer, version: string | undefined): DoctorAnswer {
  if (version === undefined) return answer
  const fix = 'locald server restart'
  const summary = `the daemon is locald ${version}, this command is locald ${versionOf()}`
  const check = { plugin: 'kernel', id: 'daemon-version', severity: 'important', status: 'warn', summary, fix } as const
  return {
    ...answer,
    checks: [...answer.checks, check],
    fixes: [...answer.fixes, fix],
    commands: [...answer.commands, { command: fix, root: false }],
  }
}

function text(answer: DoctorAnswer, isVerbose: boolean, paint: Paint): string {
  const shown = answer.checks.filter(check => isVerbose || check.status === 'warn' || check.status === 'fail')
  const lines: string[] = []
  for (const plugin of new Set(shown.map(check => check.plugin))) {
    lines.push(paint('bold', plugin))
    for (const check of shown.filter(each => each.plugin === plugin)) lines.push(line(check, paint))
    lines.push('')
  }
  lines.push(counts(answer.checks))
  if (answer.fixes.length > 0) lines.push('', paint('bold', 'To fix:'), ...answer.fixes.map(fix => `  ${fix}`))
  return lines.join('\n')
}

function line({ status, severity, id, summary }: CheckView, paint: Paint): string {
  const weight = status === 'fail' || status === 'warn' ? ` (${severity})` : ''
  return `  ${paint(styles[status], status)}  ${id}: ${summary}${weight}`
}

function counts(checks: readonly CheckView[]): string {
  const words = [
    ['pass', 'passed'],
    ['warn', 'with a warning'],
    ['fail', 'failed'],
    ['skip', 'skipped'],
  ] as const
  const parts = words.map(([status, word]) => [checks.filter(check => check.status === status).length, word] as const)
  const told = parts.filter(([count]) => count > 0).map(([count, word]) => `${count} ${word}`)
  return `${checks.length} ${checks.length === 1 ? 'check' : 'checks'}: ${told.join(', ') || 'none'}`
}
