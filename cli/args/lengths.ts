import type { CommandSpec } from './commands.ts'
import type { FlagWords } from './flag-words.ts'
import { globalFlags } from './flags.ts'
import { usageError } from './usage.ts'

/** The longest path of Linux, and what the daemon takes of a name: characters. */
const longest = 4096
/** What values of flags are that are names or paths. */
const limited = new Set(['SERVICE', 'NAME', 'DB', 'DIR', 'FILE'])
/** Of a word that is too long, so many characters are shown. */
const shown = 40

/** Refuses names and paths that are too long: the daemon would refuse the whole request for its form. Throws USAGE. */
export function checkLengths({ positionals, values }: FlagWords, command: CommandSpec): void {
  // Settings have no limit here: `[KEY=VALUE…]`.
  const words = command.args.includes('=') ? [] : positionals
  const flags = [...globalFlags, ...(command.flags ?? [])].filter(
    ({ value }) => value !== undefined && limited.has(value),
  )
  const long = [...words, ...flags.flatMap(({ name }) => values.get(name) ?? [])].find(word => word.length > longest)
  if (long === undefined) return
  const message = `argument '${long.slice(0, shown)}…' is too long: ${long.length} characters, at most ${longest}`
  throw usageError(message, command)
}
