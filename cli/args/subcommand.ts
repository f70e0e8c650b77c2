import type { Subcommand } from '../../kernel/protocol.ts'
import type { PluginSubcommand } from './plugin-commands.ts'

/** Returns a subcommand of a plugin in the words of the CLI's own commands. */
export function describeSubcommand({ name, description, usage, details, flags }: Subcommand): PluginSubcommand {
  return {
    ...{ name, args: usage ?? '', about: description },
    ...(details === undefined ? {} : { details }),
    ...(flags === undefined ? {} : { flags: flags.map(({ description: about, ...flag }) => ({ ...flag, about })) }),
  }
}
