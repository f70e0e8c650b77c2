import { LocaldError } from '../../kernel/errors.ts'
import { type CommandSpec, commands, type Flag, globalFlags } from './commands.ts'

/** A command line, understood. Every word is kept as it was typed: `08` and `007` stay text. */
export interface Words {
  /** Absent: only `--help` or `--version` was asked, or nothing. */
  readonly spec: CommandSpec | undefined
  readonly names: readonly string[]
  /** What stood after `--`, for commands that take a command. */
  readonly command: readonly string[]
  readonly flags: ReadonlyMap<string, string | true>
  /** The first word of commands whose help is asked, such as `server` for `server start`. */
  readonly group: string | undefined
}

/** Reads a command line (without node and the script). Throws USAGE or UNKNOWN_COMMAND, with a suggestion. */
export async function readWords(argv: readonly string[]): Promise<Words> {
  const { head, tail } = parted(argv)
  const at = firstName(head)
  if (at === undefined) {
    const { flags } = await readFlags(head, undefined)
    return { spec: undefined, names: [], command: [], flags, group: undefined }
  }
  const asksHelp = head[at] === 'help'
  const words = asksHelp ? [...head.slice(0, at), ...head.slice(at + 1), '--help'] : head
  const from = asksHelp ? (firstName(words) ?? words.length) : at
  const spec = findSpec(words, from)
  if (spec === undefined) return await withoutSpec(words, from)
  const { flags, names } = await readFlags([...words.slice(0, from), ...words.slice(from + sizeOf(spec))], spec)
  const read = { spec, names: spec.takesCommand ? names : [...names, ...tail], group: undefined, flags }
  if (!flags.has('help')) checkCount(spec, read.names, spec.takesCommand ? tail : undefined)
  return { ...read, command: spec.takesCommand ? tail : [] }
}

/**
 * The words of locald itself and those after `--`. A command to run needs no `--`: it begins with the second name, `run api npm test`.
 */
function parted(argv: readonly string[]): { readonly head: readonly string[]; readonly tail: readonly string[] } {
  const end = argv.indexOf('--')
  const head = end < 0 ? argv : argv.slice(0, end)
  const at = firstName(head)
  const spec = at === undefined ? undefined : findSpec(head, at)
  if (at !== undefined && spec?.takesCommand === true) {
    const service = nameAfter(head, at + sizeOf(spec))
    const command = service === undefined ? undefined : nameAfter(head, service + 1)
    if (command !== undefined) return { head: argv.slice(0, command), tail: argv.slice(command) }
  }
  return { head, tail: end < 0 ? [] : argv.slice(end + 1) }
}

/** The value of a flag that takes one. */
export function flagValue(words: Pick<Words, 'flags'>, name: string): string | undefined {
  const value = words.flags.get(name)
  return typeof value === 'string' ? value : undefined
}

/** What other tools call a command. */
const usual = new Map([
  ['start', 'up'],
  ['down', 'stop'],
  ['ps', 'status'],
  ['exec', 'run'],
])

/** An error that suggests the nearest of the known words (at least one), if one is near. */
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

function sizeOf(spec: CommandSpec): number {
  return spec.name.split(' ').length
}

/** The index of the first word that is neither a flag nor the value of `--sandbox`. */
function firstName(words: readonly string[]): number | undefined {
  return nameAfter(words, 0)
}

function nameAfter(words: readonly string[], from: number): number | undefined {
  for (let i = from; i < words.length; i++) {
    const word = words[i] ?? ''
    if (word === '--sandbox') i++
    else if (!word.startsWith('-') || word === '-') return i
  }
  return undefined
}

function findSpec(words: readonly string[], at: number): CommandSpec | undefined {
  const one = words[at]
  const two = `${one} ${words[at + 1]}`
  return commands.find(spec => spec.name === two) ?? commands.find(spec => spec.name === one)
}

/** `locald server`, `locald help`, or a mistake. */
async function withoutSpec(words: readonly string[], at: number): Promise<Words> {
  const word = words[at]
  const group = commands.filter(spec => spec.name.startsWith(`${word} `)).map(spec => spec.name.split(' ')[1] ?? '')
  const next = words[at + 1]
  const isHelp = words.includes('--help') || words.includes('-h')
  if (isHelp && (word === undefined || (group.length > 0 && (next === undefined || next.startsWith('-'))))) {
    const { flags } = await readFlags([...words.slice(0, at), ...words.slice(at + 1)], undefined)
    return { spec: undefined, names: [], command: [], flags, group: word }
  }
  const hint = helpHint(undefined)
  if (group.length === 0) {
    const names = commands.map(spec => spec.name)
    const firsts = [...new Set([...names, ...names.map(name => name.split(' ')[0] ?? name)])]
    const said = word ?? ''
    throw await unknown('UNKNOWN_COMMAND', `unknown command '${word}'`, usual.get(said) ?? said, firsts, hint)
  }
  if (next === undefined || next.startsWith('-')) {
    throw new LocaldError('UNKNOWN_COMMAND', `'${word}' needs one more word`, {
      hint: `One of: ${group.map(name => `\`locald ${word} ${name}\``).join(', ')}.`,
    })
  }
  throw await unknown('UNKNOWN_COMMAND', `unknown command '${word} ${next}'`, next, group, hint)
}

/** Splits flags from names. A value is the next word or stands after `=`; short flags may be joined: `-fn20`. */
async function readFlags(words: readonly string[], spec: CommandSpec | undefined) {
  const known = [...globalFlags, ...(spec?.flags ?? [])]
  const flags = new Map<string, string | true>()
  const names: string[] = []
  for (let i = 0; i < words.length; i++) {
    const word = words[i] ?? ''
    if (!word.startsWith('-') || word === '-') {
      names.push(word)
      continue
    }
    for (const { written, flag, value } of await split(word, known, spec)) {
      if (flag.value === undefined) {
        if (value !== undefined) throw usage(`${written} takes no value`, spec)
        flags.set(flag.name, true)
        continue
      }
      const next = words[i + 1]
      const given = value ?? (next === undefined || isFlag(next) ? undefined : next)
      if (given === undefined) throw usage(`${written} needs a value: ${written} ${flag.value}`, spec)
      if (value === undefined) i++
      flags.set(flag.name, given)
    }
  }
  return { flags, names }
}

function isFlag(word: string): boolean {
  return word.startsWith('-') && word !== '-'
}

interface Written {
  readonly written: string
  readonly flag: Flag
  readonly value: string | undefined
}

/** `--name`, `--name=value`, `-f`, `-fn20`. */
async function split(word: string, known: readonly Flag[], spec: CommandSpec | undefined): Promise<Written[]> {
  if (word.startsWith('--')) {
    const equals = word.indexOf('=')
    const written = equals < 0 ? word : word.slice(0, equals)
    const flag = known.find(each => `--${each.name}` === written)
    if (flag === undefined) throw await unknownFlag(written, known, spec)
    return [{ written, flag, value: equals < 0 ? undefined : word.slice(equals + 1) }]
  }
  const found: Written[] = []
  for (let i = 1; i < word.length; i++) {
    const written = `-${word[i]}`
    const flag = known.find(each => each.short === word[i])
    if (flag === undefined) throw await unknownFlag(word.length === 2 ? word : written, known, spec)
    const rest = word.slice(i + 1)
    if (flag.value === undefined) found.push({ written, flag, value: undefined })
    else return [...found, { written, flag, value: rest === '' ? undefined : rest.replace(/^=/, '') }]
  }
  return found
}

async function unknownFlag(word: string, known: readonly Flag[], spec: CommandSpec | undefined): Promise<LocaldError> {
  const names = known.map(flag => `--${flag.name}`)
  const of = spec === undefined ? '' : ` of 'locald ${spec.name}'`
  return await unknown('USAGE', `unknown flag ${word}${of}`, word, names, helpHint(spec))
}

function checkCount(spec: CommandSpec, names: readonly string[], command: readonly string[] | undefined): void {
  const [least, most] = spec.count
  if (command?.length === 0) throw usage(`'locald ${spec.name}' needs a command after --`, spec)
  if (names.length < least) throw usage(`'locald ${spec.name}' needs ${spec.words}`, spec)
  const extra = names[most]
  if (extra !== undefined) throw usage(`'locald ${spec.name}' takes no word '${extra}' here`, spec)
}

function usage(message: string, spec: CommandSpec | undefined): LocaldError {
  const how = spec === undefined ? '' : `Usage: \`${`locald ${spec.name} ${spec.words}`.trimEnd()}\`. `
  return new LocaldError('USAGE', message, { hint: how + helpHint(spec) })
}

function helpHint(spec: CommandSpec | undefined): string {
  return spec === undefined ? '`locald --help` lists the commands.' : `\`locald ${spec.name} --help\` tells more.`
}
