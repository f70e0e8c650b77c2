import { LocaldError } from '../../kernel/errors.ts'
import type { CommandSpec } from './commands.ts'
import { parseFlags } from './flag-words.ts'
import { globalFlags } from './flags.ts'
import { checkLengths } from './lengths.ts'
import { countWords, findCommand, findPositional, isFlag, isGlobal, listSubcommands } from './lookup.ts'
import { unknownCommand, unknownFlag, usageError } from './usage.ts'

// Not by cac, which prints the help: it reads `up --detach 007` as service 7, and knows no command of two words.
// docs/dependencies.md

/** A parsed command line. All arguments stay text: `08` and `007` are not numbers. */
export interface ParsedArgs {
  /** Absent for `--help` or `--version` alone, and for an empty command line. */
  readonly command: CommandSpec | undefined
  readonly positionals: readonly string[]
  /** The command to run and its arguments, for commands that take one. */
  readonly childArgv: readonly string[]
  /** Whether `--` precedes it. */
  readonly isChildMarked: boolean
  /** Of a flag that was given more than once: the last value. */
  readonly flags: ReadonlyMap<string, string | true>
  /** All values of each flag that takes one, in order. */
  readonly values: ReadonlyMap<string, readonly string[]>
  /** The first word of commands whose help is requested, such as `server` of `server start`. */
  readonly group: string | undefined
}

const noChild = { childArgv: [], isChildMarked: false } as const

/** Parses a command line (without node and the script). Throws USAGE or UNKNOWN_COMMAND, with a suggestion. */
export async function parseArgs(argv: readonly string[]): Promise<ParsedArgs> {
  const { head, tail, isMarked } = splitChildArgv(argv)
  const at = findPositional(head)
  if (at === undefined) return await parseAlone(head)
  if (head[at] === 'version') return await parseAlone([...head.slice(0, at), '--version', ...head.slice(at + 1)])
  const isHelp = head[at] === 'help'
  const words = isHelp ? [...head.slice(0, at), ...head.slice(at + 1), '--help'] : head
  const from = isHelp ? (findPositional(words) ?? words.length) : at
  const command = findCommand(words, from)
  if (command === undefined) return await parseGroup(words, from)
  const rest = [...words.slice(0, from), ...words.slice(from + countWords(command))]
  const { flags, values, positionals } = await parseFlags(rest, command)
  const takesChild = command.takesCommand === true
  const given = takesChild ? positionals : [...positionals, ...tail]
  const isReplaced = command.insteadOfArgument !== undefined && flags.has(command.insteadOfArgument)
  const isOptional = command.isCommandOptional === true && !isMarked && !isReplaced
  checkLengths({ flags, values, positionals: given }, command)
  if (!flags.has('help')) checkCount(command, { given, isReplaced }, takesChild && !isOptional ? tail : undefined)
  const child = { childArgv: takesChild ? tail : [], isChildMarked: isMarked }
  return { command, positionals: given, ...child, flags, values, group: undefined }
}

/** Returns the names that a flag was given: repeated, or separated by commas. */
export function flagNames({ values }: Pick<ParsedArgs, 'values'>, name: string): readonly string[] {
  return (values.get(name) ?? []).flatMap(value => value.split(',')).filter(each => each !== '')
}

/** Returns the value of a flag that takes one. */
export function flagValue(args: Pick<ParsedArgs, 'flags'>, name: string): string | undefined {
  const value = args.flags.get(name)
  return typeof value === 'string' ? value : undefined
}

/** Parses a command line without a command. */
async function parseAlone(words: readonly string[]): Promise<ParsedArgs> {
  const { flags, values, positionals } = await parseFlags(words, undefined)
  const [extra] = positionals
  if (extra !== undefined) throw usageError(`unexpected argument '${extra}'`, undefined)
  return { command: undefined, positionals: [], ...noChild, flags, values, group: undefined }
}

/**
 * Splits at `--`, or before a child command without it: that begins with the first positional, `add npm run dev`, or
 * after those of the command's own, `run api npm test`; after `--with` that is none, `run --with db npm test`.
 */
function splitChildArgv(argv: readonly string[]): {
  readonly head: readonly string[]
  readonly tail: readonly string[]
  readonly isMarked: boolean
} {
  const end = argv.indexOf('--')
  const head = end < 0 ? argv : argv.slice(0, end)
  const at = findPositional(head)
  const command = at === undefined ? undefined : findCommand(head, at)
  if (at !== undefined && command?.takesCommand === true) {
    const child = findChild(head, at + countWords(command), command)
    if (child !== undefined) return { head: argv.slice(0, child), tail: argv.slice(child), isMarked: false }
  }
  return { head, tail: end < 0 ? [] : argv.slice(end + 1), isMarked: end >= 0 }
}

/** Returns the index of the first word of a child command that no `--` precedes. */
export function findChild(head: readonly string[], from: number, command: CommandSpec): number | undefined {
  const flags = [...globalFlags, ...(command.flags ?? [])]
  const { insteadOfArgument: flag } = command
  const hasFlag = (until: number) =>
    flag !== undefined && head.slice(from, until).some(word => word === `--${flag}` || word.startsWith(`--${flag}=`))
  let child = findPositional(head, from, flags)
  for (let own = countArgs(command)[0]; own > 0 && child !== undefined && !hasFlag(child); own--)
    child = findPositional(head, child + 1, flags)
  return child
}

/** Parses `locald server`, `locald help`, or a mistake. */
async function parseGroup(words: readonly string[], at: number): Promise<ParsedArgs> {
  const name = words[at]
  const subcommands = listSubcommands(name)
  const next = words[at + 1]
  const isHelp = words.includes('--help') || words.includes('-h')
  if (isHelp && (name === undefined || (subcommands.length > 0 && (next === undefined || isFlag(next))))) {
    const { flags, values } = await parseFlags([...words.slice(0, at), ...words.slice(at + 1)], undefined)
    return { command: undefined, positionals: [], ...noChild, flags, values, group: name }
  }
  const typed = name ?? ''
  // A flag of a command before that command: its value was read as one.
  const stray = words.slice(0, at).find(word => isFlag(word) && !isGlobal(word))
  if (stray !== undefined) throw await unknownFlag(stray, globalFlags, undefined)
  if (subcommands.length === 0) throw await unknownCommand(typed, undefined)
  if (next === undefined || isFlag(next)) {
    throw new LocaldError('UNKNOWN_COMMAND', `'${typed}' needs a subcommand`, {
      hint: `Use one of: ${subcommands.map(sub => `\`locald ${typed} ${sub}\``).join(', ')}.`,
    })
  }
  throw await unknownCommand(next, typed)
}

function checkCount(
  command: CommandSpec,
  { given, isReplaced }: { readonly given: readonly string[]; readonly isReplaced: boolean },
  childArgv: readonly string[] | undefined,
): void {
  const [min, max] = countArgs(command)
  if (childArgv?.length === 0) {
    const where = max === 0 ? '' : ' after --'
    throw usageError(`'locald ${command.name}' needs a command${where}`, command)
  }
  if (given.length < min && !isReplaced) throw usageError(`'locald ${command.name}' needs ${command.args}`, command)
  const extra = given[max]
  if (extra !== undefined) throw usageError(`unexpected argument '${extra}'`, command)
}

/** Returns how many positional arguments a command takes, from how its help shows them. */
function countArgs({ args, takesCommand }: CommandSpec): readonly [min: number, max: number] {
  const [first = '', command] = args.split(' -- ')
  const own = takesCommand === true && command === undefined ? '' : first
  const min = own.split('<').length - 1
  return [min, own.includes('…') ? Number.POSITIVE_INFINITY : min + own.split('[').length - 1]
}
