import type { Command, CommandContext, CommandResult } from '../../../kernel/contract/plugin.ts'
import { closest } from '../../lib/suggest.ts'
import { showEngines, useEngine } from './engine.ts'
import { listOwn } from './list.ts'
import { type CommandParts, usageError } from './parts.ts'
import { prune } from './prune.ts'
import { runOneOff } from './run.ts'

const usage = `locald container: containers of locald, and the engine that runs them

  locald container engine [NAME]        Show engines, or set the engine of this project
  locald container ls                   List containers of all projects
  locald container prune                List what projects left whose folder is deleted
    --yes                               Remove it
  locald container run IMAGE [-- CMD…]  Run a container on the project's network, and remove it`

const verbs = ['engine', 'ls', 'prune', 'run'] as const

/** Returns the command `locald container`. */
export function containerCommand(parts: CommandParts): Command {
  return {
    name: 'container',
    description: 'Manage containers and their engine',
    usage: '<COMMAND>',
    group: 'data',
    details:
      'Commands: engine [NAME], ls, prune [--dry-run] [--yes], run IMAGE [-- CMD…]. `locald container` alone prints what each does; docs/containers.md has examples.',
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

function isVerb(word: string): word is (typeof verbs)[number] {
  return verbs.some(verb => verb === word)
}

function hasFlags(words: readonly string[], known: readonly string[]): ReadonlySet<string> {
  const unknown = words.find(word => !known.includes(word))
  if (unknown !== undefined) throw usageError(`locald container prune: unexpected argument '${unknown}'`)
  return new Set(words)
}
