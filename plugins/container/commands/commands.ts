import type { Command, CommandContext, CommandResult, Subcommand } from '../../../kernel/contract/plugin.ts'
import { usageOf } from '../../lib/command-usage.ts'
import { closest } from '../../lib/suggest.ts'
import { showEngines, useEngine } from './engine.ts'
import { listOwn } from './list.ts'
import { type CommandParts, usageError } from './parts.ts'
import { prune } from './prune.ts'
import { runOneOff } from './run.ts'

/** The subcommands of `locald container`. */
const subcommands = [
  {
    ...{ name: 'engine', usage: '[NAME]', description: 'Show engines, or set the engine of this project' },
    details: 'Of the engines that are installed, the one in use is marked.',
  },
  { name: 'ls', description: 'List containers of all projects' },
  {
    ...{ name: 'prune', description: 'List what projects left whose folder is deleted' },
    flags: [
      { name: 'yes', description: 'Remove it' },
      { name: 'dry-run', description: 'List only, as without flags' },
    ],
  },
  {
    ...{ name: 'run', usage: '<IMAGE> [-- CMD…]', description: "Run a container on the project's network" },
    details: 'The container is removed when its command exits.',
  },
] as const satisfies readonly Subcommand[]

const usage = usageOf({ name: 'container', subcommands }, 'containers of locald, and the engine that runs them')

type Verb = (typeof subcommands)[number]['name']

const verbs: readonly Verb[] = subcommands.map(({ name }) => name)

/** Returns the command `locald container`. */
export function containerCommand(parts: CommandParts): Command {
  return {
    name: 'container',
    description: 'Manage containers and their engine',
    usage: '<COMMAND>',
    group: 'data',
    details: 'docs/containers.md has examples.',
    subcommands,
    run: (argv, context) => dispatch(parts, argv, context),
  }
}

async function dispatch(parts: CommandParts, argv: readonly string[], context: CommandContext): Promise<CommandResult> {
  const [verb, ...rest] = argv
  if (verb === undefined) return { exitCode: 2, text: usage }
  if (!isVerb(verb)) {
    // One that deletes something is never suggested.
    const near = closest(
      verb,
      verbs.filter(each => each !== 'prune'),
    )
    throw usageError(`locald container: unknown subcommand '${verb}'`, near && `Did you mean '${near}'?`)
  }
  if (verb === 'run') return await runOneOff(parts, rest, context)
  if (verb === 'prune')
    return await prune(parts, { isDone: hasFlags(rest, ['--dry-run', '--yes']).has('--yes') }, context)
  const [name, ...more] = rest
  if (more[0] !== undefined || (verb === 'ls' && name !== undefined))
    throw usageError(`locald container ${verb}: unexpected argument '${more[0] ?? name}'`)
  if (verb === 'ls') return await listOwn(parts, context)
  return name === undefined ? await showEngines(parts, context) : await useEngine(parts, name, context)
}

function isVerb(word: string): word is Verb {
  return verbs.some(verb => verb === word)
}

function hasFlags(words: readonly string[], known: readonly string[]): ReadonlySet<string> {
  const unknown = words.find(word => !known.includes(word))
  if (unknown !== undefined) throw usageError(`locald container prune: unexpected argument '${unknown}'`)
  return new Set(words)
}
