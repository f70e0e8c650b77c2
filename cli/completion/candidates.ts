import { type CommandSpec, commands, families } from '../args/commands.ts'
import { globalFlags } from '../args/flags.ts'
import { countWords, findCommand, findPositional, isFlag, listSubcommands } from '../args/lookup.ts'
import { findChild } from '../args/parse.ts'
import { pluginCommands } from '../args/plugin-commands.ts'
import type { Flag } from '../args/spec.ts'

/** A word that may be typed next. */
export interface Candidate {
  readonly word: string
  /** What it is. */
  readonly text: string
}

/** What else may be typed there: paths, which the shell completes itself. */
export type Paths = 'files' | 'folders' | 'none'

/** What may be typed next: known words, names that only the daemon knows, paths. */
export interface Next {
  readonly words: readonly Candidate[]
  readonly names: 'services' | 'projects' | 'none'
  readonly paths: Paths
  /** Where the cursor is in a command that the service may have declared. */
  readonly inService?: InService
}

/** A command in the place of a service, of which the word at the cursor is the next one. */
export interface InService {
  readonly service: string
  readonly words: readonly string[]
}

const nothing: Next = { words: [], names: 'none', paths: 'none' }

/** Returns what may follow the words of a command line, without its program. `current` is the word at the cursor. */
export function findNext(words: readonly string[], current: string): Next {
  if (words.includes('--')) return { ...nothing, paths: 'files' }
  const at = findPositional(words)
  const command = at === undefined ? undefined : findCommand(words, at)
  const flags = [...(command?.flags ?? []), ...globalFlags]
  const inChild = at === undefined ? undefined : findInChild(command, words, { from: at, current, flags })
  if (inChild !== undefined) return inChild
  const ofFlag = findFlagValue(words.at(-1), current, flags)
  if (ofFlag !== undefined) return ofFlag
  if (current.startsWith('-'))
    return { ...nothing, words: flags.map(({ name, about }) => ({ word: `--${name}`, text: about })) }
  if (at === undefined) return { ...nothing, words: listCommands() }
  const first = words[at]
  const subcommands = words.length === at + 1 ? listFamily(first) : []
  if (command === undefined)
    return { ...nothing, words: [...subcommands, ...listPluginWords(first, words.length - at)] }
  const next = findArgument(command, words.slice(at + countWords(command)), flags)
  return { ...next, words: [...subcommands, ...next.words] }
}

/** Commands of one word, and the first words of others. */
function listCommands(): readonly Candidate[] {
  const single = [...commands, ...pluginCommands].filter(({ name }) => !name.includes(' '))
  const own = single.map(({ name, about }) => ({ word: name, text: about }))
  const firsts = Object.entries(families).map(([word, text]) => ({ word, text }))
  return [...new Map([...firsts, ...own].map(each => [each.word, each])).values()]
}

function listFamily(first: string | undefined): readonly Candidate[] {
  return listSubcommands(first).map(word => ({
    word,
    text: commands.find(({ name }) => name === `${first} ${word}`)?.about ?? '',
  }))
}

/** Returns the subcommands of a plugin's command. */
function listPluginWords(name: string | undefined, count: number): readonly Candidate[] {
  const subcommands = pluginCommands.find(command => command.name === name)?.subcommands ?? []
  return count === 1 ? subcommands.map(({ name: word, about: text }) => ({ word, text })) : []
}

/** Returns what a flag takes: of the one before the cursor, or of `--flag=` at the cursor. */
function findFlagValue(last: string | undefined, current: string, flags: readonly Flag[]): Next | undefined {
  const joined = /^--[\w-]+=/.exec(current)?.[0]
  const typed = joined?.slice(0, -1) ?? (last !== undefined && isFlag(last) ? last : undefined)
  const flag = flags.find(({ name, short }) => typed === `--${name}` || (short !== undefined && typed === `-${short}`))
  if (flag?.value === undefined) return undefined
  const choices = (flag.choices ?? []).map(word => ({ word: `${joined ?? ''}${word}`, text: flag.about }))
  return { ...nextOf(flag.value), words: choices }
}

/** Returns what the next argument of a command is, by how its help shows it. */
function findArgument(command: CommandSpec, words: readonly string[], flags: readonly Flag[]): Next {
  let count = 0
  for (let at = findPositional(words, 0, flags); at !== undefined; at = findPositional(words, at + 1, flags)) count++
  const args = command.args.split(' ').filter(each => each !== '--' && each !== '')
  const kind = args[count] ?? args.findLast(each => each.includes('…')) ?? ''
  const next = nextOf(kind.replace(/[^A-Z]/g, ''))
  // A folder or, in its place, a service.
  if (kind.startsWith('[PATH') && args.length > 1) return { ...next, names: 'services' }
  return next
}

/** Returns what follows in the command that another one runs, of which the word at the cursor may be the first. */
function findInChild(
  command: CommandSpec | undefined,
  words: readonly string[],
  { from, current, flags }: { readonly from: number; readonly current: string; readonly flags: readonly Flag[] },
): Next | undefined {
  if (command?.takesCommand !== true) return undefined
  const begin = from + countWords(command)
  const child = findChild([...words, current], begin, command)
  if (child === undefined) return undefined
  const service = command.isCommandOptional === true ? findPositional(words, begin, flags) : undefined
  const inService =
    service === undefined || service >= child
      ? {}
      : { inService: { service: words[service] ?? '', words: words.slice(child) } }
  return { ...nothing, paths: 'files', ...inService }
}

function nextOf(kind: string): Next {
  if (kind === 'SERVICE') return { ...nothing, names: 'services' }
  if (kind === 'PROJECT') return { ...nothing, names: 'projects' }
  if (kind === 'PATH' || kind === 'DIR') return { ...nothing, paths: 'folders' }
  if (kind === 'FILE' || kind === 'CMD') return { ...nothing, paths: 'files' }
  if (kind === 'SHELL') return { ...nothing, words: ['bash', 'zsh', 'fish'].map(word => ({ word, text: '' })) }
  return nothing
}
