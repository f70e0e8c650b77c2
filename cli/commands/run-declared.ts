import { LocaldError } from '../../kernel/errors.ts'
import type { CommandArgumentView, CommandCall, ServiceCommandView } from '../../kernel/protocol.ts'
import { closest } from '../../kernel/system/suggest.ts'
import { detectAgent } from '../agent.ts'
import { flagsOf, placeholderOf, readDeclaredFlags } from '../args/declared-flags.ts'
import { usageError } from '../args/usage.ts'
import type { Context } from '../context.ts'
import { confirm, declinedCode } from '../output/prompt.ts'
import { isInteractive, print, printJson, printStderr } from '../output/terminal.ts'
import { formatRows, printHelp, wrap } from './help.ts'

/** Prints the commands that a service declares: for `locald run SERVICE`, alone or with `--help`. */
export function printDeclared(
  { args, json }: Context,
  service: string,
  commands: readonly ServiceCommandView[],
): number {
  const isHelp = args.flags.has('help')
  if (json && !isHelp) printJson({ service, commands })
  else {
    if (isHelp) printHelp(args)
    else if (commands.length === 0) throw usageError("'locald run' needs a command after --", args.command)
    const rows = commands.map(({ name, description, run }) => [name, description ?? run] as const)
    if (commands.length > 0) print(`${isHelp ? '\n' : ''}Commands of ${service}:\n${formatRows(rows)}`)
  }
  return 0
}

/** Returns the command that a misspelt word most likely means; none that asks before it runs. */
export function findNear(word: string, commands: readonly ServiceCommandView[]): string | undefined {
  return closest(
    word,
    commands.filter(({ confirm }) => !confirm).map(({ name }) => name),
  )
}

/** Returns the call of a declared command; the exit code where its help was printed, or the user declines. */
export async function callDeclared(
  service: string,
  command: ServiceCommandView,
  words: readonly string[],
): Promise<CommandCall | number> {
  const what = `${service} ${command.name}`
  const { values, isHelp, isConfirmed } = readDeclaredFlags(what, command, words)
  if (isHelp) {
    print(helpOf(what, command))
    return 0
  }
  if (!command.confirm || isConfirmed || (await isWanted(service, command))) return { name: command.name, args: values }
  printStderr('Nothing was run')
  return declinedCode
}

/** Asks on a terminal; an agent has to ask its user. */
async function isWanted(service: string, { name, description, run }: ServiceCommandView): Promise<boolean> {
  const agent = detectAgent()
  if (agent !== undefined)
    throw new LocaldError('USAGE', `'${service} ${name}' asks before it runs: ${agent} needs --yes for that`, {
      hint: 'Ask the user, then add --yes.',
    })
  return !isInteractive() || (await confirm(`Run ${service} ${name} (${description ?? run})?`))
}

function helpOf(what: string, { description, run, confirm, args }: ServiceCommandView): string {
  const rows = [
    ...args.map(argument => [describeFlags(argument), describeArgument(argument)] as const),
    ...(confirm ? [['--yes', 'Do not ask before'] as const] : []),
    ['-h, --help', 'Print help'] as const,
  ]
  const head = description === null ? [] : [wrap(description), '']
  const usage = `Usage:\n  $ locald run ${what}${args.length === 0 ? '' : ' [options]'}`
  return [
    ...head,
    usage,
    '',
    `Runs:\n  ${run.trimEnd().replaceAll('\n', '\n  ')}`,
    '',
    `Options:\n${formatRows(rows)}`,
  ].join('\n')
}

function describeFlags(argument: CommandArgumentView): string {
  const flags = flagsOf(argument).join(', ')
  return argument.type === 'boolean' ? flags : `${flags} <${placeholderOf(argument)}>`
}

function describeArgument({ description, default: preset }: CommandArgumentView): string {
  const applies = preset === undefined ? '(required)' : `(default: ${preset})`
  return description === undefined ? applies : `${description} ${applies}`
}
