import { LocaldError } from '../../kernel/errors.ts'
import { type CommandSpec, commands } from './commands.ts'
import { globalFlags } from './flags.ts'
import type { Flag } from './spec.ts'

// Not by cac, which prints the help: it reads `up --detach 007` as service 7, and knows no command of two words.
// docs/dependencies.md

/** A parsed command line. All arguments stay text: `08` and `007` are not numbers. */
export interface ParsedArgs {
  /** Absent for `--help` or `--version` alone, and for an empty command line. */
  readonly command: CommandSpec | undefined
  readonly positionals: readonly string[]
  /** The command to run and its arguments, for commands that take one. */
  readonly childArgv: readonly string[]
  /** Of a flag that was given more than once: the last value. */
  readonly flags: ReadonlyMap<string, string | true>
  /** All values of each flag that takes one, in order. */
  readonly values: ReadonlyMap<string, readonly string[]>
  /** The first word of commands whose help is requested, such as `server` of `server start`. */
  readonly group: string | undefined
}

/** Parses a command line (without node and the script). Throws USAGE or UNKNOWN_COMMAND, with a suggestion. */
export async function parseArgs(argv: readonly string[]): Promise<ParsedArgs> {
  const { head, tail } = splitChildArgv(argv)
  const at = findPositional(head)
  if (at === undefined) {
    const { flags, values } = await parseFlags(head, undefined)
    return { command: undefined, positionals: [], childArgv: [], flags, values, group: undefined }
  }
  const isHelp = head[at] === 'help'
  const words = isHelp ? [...head.slice(0, at), ...head.slice(at + 1), '--help'] : head
  const from = isHelp ? (findPositional(words) ?? words.length) : at
  const command = findCommand(words, from)
  if (command === undefined) return await parseGroup(words, from)
  const rest = [...words.slice(0, from), ...words.slice(from + countWords(command))]
  const { flags, values, positionals } = await parseFlags(rest, command)
  const takesChild = command.takesCommand === true
  const given = takesChild ? positionals : [...positionals, ...tail]
  if (!flags.has('help')) checkCount(command, given, takesChild ? tail : undefined)
  return { command, positionals: given, childArgv: takesChild ? tail : [], flags, values, group: undefined }
}

/** Returns the value of a flag that takes one. */
export function flagValue(args: Pick<ParsedArgs, 'flags'>, name: string): string | undefined {
  const value = args.flags.get(name)
  return typeof value === 'string' ? value : undefined
}

/**
 * Splits at `--`, or before a child command without it: that begins with the first positional, `add npm run dev`, or
 * after those of the command's own, `run api npm test`.
 */
function splitChildArgv(argv: readonly string[]): {
  readonly head: readonly string[]
  readonly tail: readonly string[]
} {
  const end = argv.indexOf('--')
  const head = end < 0 ? argv : argv.slice(0, end)
  const at = findPositional(head)
  const command = at === undefined ? undefined : findCommand(head, at)
  if (at !== undefined && command?.takesCommand === true) {
    const known = flagsOf(command)
    let child = findPositional(head, at + countWords(command), known)
    for (let own = countArgs(command)[0]; own > 0 && child !== undefined; own--)
      child = findPositional(head, child + 1, known)
    if (child !== undefined) return { head: argv.slice(0, child), tail: argv.slice(child) }
  }
  return { head, tail: end < 0 ? [] : argv.slice(end + 1) }
}

/** What other tools call a command. */
const synonyms = new Map([
  ['start', 'up'],
  ['down', 'stop'],
  ['ps', 'status'],
  ['exec', 'run'],
])

/** Returns an error that suggests the nearest of the known words (at least one), if one is near. */
async function unknown(
  code: 'USAGE' | 'UNKNOWN_COMMAND',
  message: string,
  word: string,
  known: readonly string[],
  hint: string,
): Promise<LocaldError> {
  const { closest } = await import('../../kernel/system/suggest.ts')
  const near = closest(word, known)
  return new LocaldError(code, message, { hint: near === undefined ? hint : `Did you mean '${near}'? ${hint}` })
}

function countWords(command: CommandSpec): number {
  return command.name.split(' ').length
}

function flagsOf(command: CommandSpec | undefined): readonly Flag[] {
  return [...globalFlags, ...(command?.flags ?? [])]
}

/** Returns the index of the first word that is neither a flag nor the value of one. */
function findPositional(words: readonly string[], from = 0, known = globalFlags): number | undefined {
  const takesNext = (word: string) =>
    known.some(({ name, short, value }) => value !== undefined && (word === `--${name}` || word === `-${short}`))
  for (let i = from; i < words.length; i++) {
    const word = words[i] ?? ''
    if (takesNext(word)) i++
    else if (!isFlag(word)) return i
  }
  return undefined
}

function findCommand(words: readonly string[], at: number): CommandSpec | undefined {
  const one = words[at]
  const two = `${one} ${words[at + 1]}`
  return (
    commands.find(command => command.name === two) ??
    commands.find(({ name, aliases }) => one !== undefined && (name === one || aliases?.includes(one) === true))
  )
}

/** Parses `locald server`, `locald help`, or a mistake. */
async function parseGroup(words: readonly string[], at: number): Promise<ParsedArgs> {
  const word = words[at]
  const subcommands = commands
    .filter(({ name }) => name.startsWith(`${word} `))
    .map(({ name }) => name.split(' ')[1] ?? '')
  const next = words[at + 1]
  const isHelp = words.includes('--help') || words.includes('-h')
  if (isHelp && (word === undefined || (subcommands.length > 0 && (next === undefined || isFlag(next))))) {
    const { flags, values } = await parseFlags([...words.slice(0, at), ...words.slice(at + 1)], undefined)
    return { command: undefined, positionals: [], childArgv: [], flags, values, group: word }
  }
  const typed = word ?? ''
  if (subcommands.length === 0) {
    const known = [...new Set(commands.flatMap(({ name }) => [name, name.split(' ')[0] ?? name]))]
    const meant = synonyms.get(typed) ?? typed
    throw await unknown('UNKNOWN_COMMAND', `unknown command '${typed}'`, meant, known, helpHint(undefined))
  }
  if (next === undefined || isFlag(next)) {
    throw new LocaldError('UNKNOWN_COMMAND', `'${typed}' needs a subcommand`, {
      hint: `Use one of: ${subcommands.map(name => `\`locald ${typed} ${name}\``).join(', ')}.`,
    })
  }
  const hint = `See \`locald ${typed} --help\`.`
  throw await unknown('UNKNOWN_COMMAND', `unknown command '${typed} ${next}'`, next, subcommands, hint)
}

/**
 * Separates flags from positionals. A flag's value is the next word or follows `=`; short flags may be joined: `-fn20`.
 */
async function parseFlags(
  words: readonly string[],
  command: CommandSpec | undefined,
): Promise<Pick<ParsedArgs, 'flags' | 'values' | 'positionals'>> {
  const known = flagsOf(command)
  const flags = new Map<string, string | true>()
  const values = new Map<string, readonly string[]>()
  const positionals: string[] = []
  for (let i = 0; i < words.length; i++) {
    const word = words[i] ?? ''
    if (!isFlag(word)) {
      positionals.push(word)
      continue
    }
    for (const { typed, flag, value } of await splitFlags(word, known, command)) {
      if (flag.value === undefined) {
        if (value !== undefined) throw usageError(`${typed} takes no value`, command)
        flags.set(flag.name, true)
        continue
      }
      const next = words[i + 1]
      const given = value ?? (next === undefined || isFlag(next) ? undefined : next)
      if (given === undefined) throw usageError(`${typed} needs a value: ${typed} ${flag.value}`, command)
      if (value === undefined) i++
      flags.set(flag.name, given)
      values.set(flag.name, [...(values.get(flag.name) ?? []), given])
    }
  }
  return { flags, values, positionals }
}

function isFlag(word: string): boolean {
  return word.startsWith('-') && word !== '-'
}

/** A flag as it was typed, with the value that was joined to it. */
interface TypedFlag {
  readonly typed: string
  readonly flag: Flag
  readonly value: string | undefined
}

/** Splits a word into its flags: `--name`, `--name=value`, `-f`, `-fn20`. */
async function splitFlags(
  word: string,
  known: readonly Flag[],
  command: CommandSpec | undefined,
): Promise<readonly TypedFlag[]> {
  if (word.startsWith('--')) {
    const equals = word.indexOf('=')
    const typed = equals < 0 ? word : word.slice(0, equals)
    const flag = known.find(each => `--${each.name}` === typed)
    if (flag === undefined) throw await unknownFlag(typed, known, command)
    return [{ typed, flag, value: equals < 0 ? undefined : word.slice(equals + 1) }]
  }
  const found: TypedFlag[] = []
  for (let i = 1; i < word.length; i++) {
    const typed = `-${word[i]}`
    const flag = known.find(each => each.short === word[i])
    if (flag === undefined) throw await unknownFlag(word.length === 2 ? word : typed, known, command)
    const rest = word.slice(i + 1)
    if (flag.value === undefined) found.push({ typed, flag, value: undefined })
    else return [...found, { typed, flag, value: rest === '' ? undefined : rest.replace(/^=/, '') }]
  }
  return found
}

async function unknownFlag(
  typed: string,
  known: readonly Flag[],
  command: CommandSpec | undefined,
): Promise<LocaldError> {
  const names = known.map(flag => `--${flag.name}`)
  const of = command === undefined ? '' : ` of 'locald ${command.name}'`
  return await unknown('USAGE', `unknown flag ${typed}${of}`, typed, names, helpHint(command))
}

function checkCount(
  command: CommandSpec,
  positionals: readonly string[],
  childArgv: readonly string[] | undefined,
): void {
  const [min, max] = countArgs(command)
  if (childArgv?.length === 0) {
    const where = max === 0 ? '' : ' after --'
    throw usageError(`'locald ${command.name}' needs a command${where}`, command)
  }
  if (positionals.length < min) throw usageError(`'locald ${command.name}' needs ${command.args}`, command)
  const extra = positionals[max]
  if (extra !== undefined) throw usageError(`unexpected argument '${extra}'`, command)
}

/** Returns how many positional arguments a command takes, from how its help shows them. */
function countArgs({ args, takesCommand }: CommandSpec): readonly [min: number, max: number] {
  const [first = '', command] = args.split(' -- ')
  const own = takesCommand === true && command === undefined ? '' : first
  const min = own.split('<').length - 1
  return [min, own.includes('…') ? Number.POSITIVE_INFINITY : min + own.split('[').length - 1]
}

function usageError(message: string, command: CommandSpec | undefined): LocaldError {
  const usage = command === undefined ? '' : `Usage: \`${`locald ${command.name} ${command.args}`.trimEnd()}\`. `
  return new LocaldError('USAGE', message, { hint: usage + helpHint(command) })
}

function helpHint(command: CommandSpec | undefined): string {
  return `See \`locald${command === undefined ? '' : ` ${command.name}`} --help\`.`
}
