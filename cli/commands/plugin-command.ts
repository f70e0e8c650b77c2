import { LocaldError, messageOf } from '../../kernel/errors.ts'
import type {
  CommandAnswer,
  CommandBody,
  CommandView,
  TerminalProgram,
  TrustOutcome,
  TrustStep,
} from '../../kernel/protocol.ts'
import type { Paths } from '../../kernel/system/paths.ts'
import { globalFlags } from '../args/flags.ts'
import { pluginCommands } from '../args/plugin-commands.ts'
import { locate } from '../context.ts'
import { type Client, findDaemon, requireDaemon } from '../daemon/client.ts'
import { interruptedCode } from '../follow/keys.ts'
import { printAnswer } from '../output/command-answer.ts'
import { disableColour } from '../output/terminal.ts'

/** A command line that starts with no command of the CLI: its global flags, and the rest as it was typed. */
interface PluginArgs {
  readonly name: string
  readonly argv: readonly string[]
  readonly flags: ReadonlyMap<string, string | true>
  readonly values: ReadonlyMap<string, readonly string[]>
}

/**
 * Runs a plugin's command in the daemon; the result is its exit code. For a command of a plugin that ships, a daemon is
 * started, as for the CLI's own; for any other word, which may only be misspelt, it is not: without a daemon, and where
 * no plugin has the command, throws `unknown`.
 */
export async function pluginCommand(words: readonly string[], unknown: LocaldError): Promise<number> {
  const { name, argv, flags, values } = parsePluginArgs(words)
  if (flags.has('no-color')) disableColour()
  const shipped = pluginCommands.find(command => command.name === name)
  // A command that does not know `--help` would do its work: it is not called.
  if (flags.has('help') && shipped !== undefined) return (await import('./help.ts')).printPluginTopic(shipped, argv[0])
  const { paths, cwd } = locate({ flags, values })
  const daemon = shipped !== undefined ? await requireDaemon(paths) : await findDaemon(paths)
  if (daemon === undefined || name === '') throw unknown
  if (flags.has('help')) return await printCommandHelp(daemon, { name, subcommand: argv[0] }, unknown)
  const first = await callCommand(daemon, name, { argv, cwd }, unknown)
  const steps = shipped !== undefined ? (first.steps ?? []) : []
  const outcomes = steps.length > 0 ? await runSteps(paths, steps) : []
  if (outcomes === undefined) return interruptedCode
  const answer = steps.length > 0 ? await callCommand(daemon, name, { argv, cwd, outcomes }, unknown) : first
  const code = printAnswer(answer, flags.has('json'))
  return shipped === undefined || answer.terminal === undefined ? code : await runProgram(answer.terminal, cwd)
}

/** Runs the program that a command asks for, with the kind of terminal that the caller has, not the daemon. */
async function runProgram({ argv, env }: TerminalProgram, dir: string): Promise<number> {
  const { runForeground } = await import('./run.ts')
  const { TERM } = process.env
  try {
    return await runForeground(argv, { dir, env: { ...env, ...(TERM === undefined ? {} : { TERM }) } })
  } catch (error) {
    throw new LocaldError('SPAWN_FAILED', `${argv[0]} failed to start: ${messageOf(error)}`, {
      hint: 'Check that it is installed.',
    })
  }
}

/** Makes the changes that a command asks for; undefined when that was interrupted. */
async function runSteps(
  { native, platform }: Paths,
  steps: readonly TrustStep[],
): Promise<readonly TrustOutcome[] | undefined> {
  const [{ runKeychainSteps }, { helperPaths }] = await Promise.all([
    import('../admin/keychain.ts'),
    import('../../shim/paths.ts'),
  ])
  return await runKeychainSteps({ native, helper: helperPaths(platform) }, steps)
}

async function printCommandHelp(
  daemon: Client,
  { name, subcommand }: { readonly name: string; readonly subcommand: string | undefined },
  unknown: LocaldError,
): Promise<number> {
  const command = await daemon.get<CommandView>(`/v1/commands/${encodeURIComponent(name)}`).catch((error: unknown) => {
    // Daemons of earlier versions do not have the route.
    throw LocaldError.is(error) && ['UNKNOWN_COMMAND', 'REQUEST_INVALID'].includes(error.code) ? unknown : error
  })
  const [{ printPluginTopic }, { describeSubcommand }] = await Promise.all([
    import('./help.ts'),
    import('../args/subcommand.ts'),
  ])
  const { description: about, usage: args = '', details, subcommands = [] } = command
  const topic = { name: command.name, args, about, ...(details === undefined ? {} : { details }) }
  return printPluginTopic({ ...topic, subcommands: subcommands.map(describeSubcommand) }, subcommand)
}

async function callCommand(
  daemon: Client,
  name: string,
  body: CommandBody,
  unknown: LocaldError,
): Promise<CommandAnswer> {
  try {
    return await daemon.post<CommandAnswer>(`/v1/commands/${encodeURIComponent(name)}`, body, null)
  } catch (error) {
    throw LocaldError.is(error) && error.code === 'UNKNOWN_COMMAND' ? unknown : error
  }
}

/** Separates the flags of every command, wherever they stand before `--`. Of short ones, `-h` and `-C`. */
function parsePluginArgs(words: readonly string[]): PluginArgs {
  const end = words.indexOf('--')
  const head = end < 0 ? words : words.slice(0, end)
  const flags = new Map<string, string | true>()
  const folders: string[] = []
  const rest: string[] = []
  for (let i = 0; i < head.length; i++) {
    const word = head[i] ?? ''
    const [typed = '', value] = word.startsWith('-C') && word !== '-C' ? ['-C', word.slice(2)] : word.split('=', 2)
    const flag = globalFlags.find(each => typed === `--${each.name}` || (typed === '-C' && each.short === 'C'))
    if (word === '-h') flags.set('help', true)
    else if (flag === undefined) rest.push(word)
    else if (flag.value === undefined) flags.set(flag.name, true)
    else {
      const given = value ?? head[++i] ?? ''
      flags.set(flag.name, given)
      if (flag.short === 'C') folders.push(given)
    }
  }
  if (rest[0] === 'help') {
    rest.shift()
    flags.set('help', true)
  }
  const [name = '', ...args] = rest
  const values = new Map(folders.length === 0 ? [] : [['directory', folders]])
  return { name, argv: [...args, ...(end < 0 ? [] : words.slice(end))], flags, values }
}
