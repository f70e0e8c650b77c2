import { LocaldError } from '../../kernel/errors.ts'
import type { CommandAnswer, CommandBody } from '../../kernel/protocol.ts'
import { globalFlags } from '../args/commands.ts'
import { locate } from '../context.ts'
import { type Client, find, need } from '../daemon/client.ts'
import { interrupted } from '../follow/keys.ts'
import { print, printJson, say } from '../output/terminal.ts'

/** Commands of plugins that ship; for these a daemon is started, as for the CLI's own. */
export const shippedCommands: readonly { readonly name: string; readonly words: string; readonly about: string }[] = [
  { name: 'db', words: ' [WORDS…]    (alone, it lists them)', about: 'Snapshots and branches of databases' },
  {
    name: 'trust',
    words: ' [--system]    (macOS: for all users)',
    about: 'Trust the local CA in the stores of the system and of browsers',
  },
  { name: 'untrust', words: '', about: 'Take the local CA out of all stores' },
]

/** A command line whose command the CLI does not know: its global flags taken off, the rest as it was typed. */
interface Passed {
  readonly name: string
  readonly argv: readonly string[]
  readonly flags: ReadonlyMap<string, string | true>
}

/**
 * Runs a plugin's command in the daemon; the result is its exit code. A word that may only be misspelt starts no daemon: without one,
 * and where no plugin has the command, `unknown` is thrown.
 */
export async function pluginCommand(words: readonly string[], unknown: LocaldError): Promise<number> {
  const { name, argv, flags } = pass(words)
  if (flags.has('help')) return help(name, unknown)
  const { paths, cwd } = locate({ flags })
  const ships = shippedCommands.some(command => command.name === name)
  const daemon = ships ? await need(paths) : await find(paths)
  if (daemon === undefined || name === '') throw unknown
  const first = await ask(daemon, name, { argv, cwd }, unknown)
  const steps = ships ? (first.steps ?? []) : []
  const outcomes = steps.length > 0 ? await (await import('../admin/keychain.ts')).carryOut(paths, steps) : []
  if (outcomes === undefined) return interrupted
  const answer = steps.length > 0 ? await ask(daemon, name, { argv, cwd, outcomes }, unknown) : first
  if (flags.has('json')) printJson(answer.data ?? { text: answer.text })
  else if (answer.exitCode === 0) print(answer.text)
  else say(answer.text)
  return answer.exitCode
}

/** A command that does not know the flag would do its work: it is not asked. */
function help(name: string, unknown: LocaldError): number {
  const command = shippedCommands.find(each => each.name === name)
  if (command === undefined) throw unknown
  print(`${command.about}\n\nUsage:\n  $ locald ${command.name}${command.words}`)
  return 0
}

async function ask(daemon: Client, name: string, body: CommandBody, unknown: LocaldError): Promise<CommandAnswer> {
  try {
    return await daemon.post<CommandAnswer>(`/v1/commands/${encodeURIComponent(name)}`, body, null)
  } catch (error) {
    throw LocaldError.is(error) && error.code === 'UNKNOWN_COMMAND' ? unknown : error
  }
}

/** Takes the flags of every command off, wherever they stand before `--`. */
function pass(words: readonly string[]): Passed {
  const end = words.indexOf('--')
  const head = end < 0 ? words : words.slice(0, end)
  const flags = new Map<string, string | true>()
  const rest: string[] = []
  for (let i = 0; i < head.length; i++) {
    const word = head[i] ?? ''
    const [written = '', value] = word.split('=', 2)
    const flag = globalFlags.find(each => `--${each.name}` === written)
    if (word === '-h') flags.set('help', true)
    else if (flag === undefined) rest.push(word)
    else if (flag.value === undefined) flags.set(flag.name, true)
    else flags.set(flag.name, value ?? head[++i] ?? '')
  }
  const [name = '', ...args] = rest
  return { name, argv: [...args, ...(end < 0 ? [] : words.slice(end))], flags }
}
