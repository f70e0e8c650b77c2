import type { CommandContext, CommandResult } from '../../../kernel/contract/plugin.ts'
import { suggestSubcommand } from '../../lib/suggest.ts'
import { subcommands, usage, type Verb } from './declare.ts'
import { showEngines, useEngine } from './engine.ts'
import { listOwn } from './list.ts'
import { type CommandParts, usageError } from './parts.ts'
import { prune } from './prune.ts'
import { runOneOff } from './run.ts'

const verbs: readonly Verb[] = subcommands.map(({ name }) => name)

/** Runs `locald container`. */
export async function dispatch(
  parts: CommandParts,
  argv: readonly string[],
  context: CommandContext,
): Promise<CommandResult> {
  const [verb, ...rest] = argv
  if (verb === undefined) return { exitCode: 2, text: usage }
  if (!isVerb(verb)) {
    throw usageError(`locald container: unknown subcommand '${verb}'`, suggestSubcommand(verb, verbs, ['prune']))
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
