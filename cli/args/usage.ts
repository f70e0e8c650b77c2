import { LocaldError } from '../../kernel/errors.ts'
import type { CommandSpec } from './commands.ts'
import type { Flag } from './spec.ts'

/** Returns an error of a command line that cannot be run, with the usage of its command. */
export function usageError(message: string, command: CommandSpec | undefined): LocaldError {
  const usage = command === undefined ? '' : `Usage: \`${`locald ${command.name} ${command.args}`.trimEnd()}\`. `
  return new LocaldError('USAGE', message, { hint: usage + helpHint(command) })
}

/** Returns the error of a flag that a command does not have: what to use in place of one of other tools, or a near one. */
export async function unknownFlag(
  typed: string,
  known: readonly Flag[],
  command: CommandSpec | undefined,
): Promise<LocaldError> {
  const { hintForFlag } = await import('./other-tools.ts')
  const of = command === undefined ? '' : ` of 'locald ${command.name}'`
  const message = `unknown flag ${typed}${of}`
  const hint = hintForFlag(typed, command?.name)
  if (hint !== undefined) return new LocaldError('USAGE', message, { hint })
  const { suggestFlag } = await import('./suggestion.ts')
  const near = suggestFlag(typed, known, command?.name)
  return new LocaldError('USAGE', message, { hint: withSuggestion(near, helpHint(command)) })
}

/** Returns the error of a word that is no command: what to use in place of one of other tools, or a near one. */
export async function unknownCommand(word: string, family: string | undefined): Promise<LocaldError> {
  const typed = family === undefined ? word : `${family} ${word}`
  const { hintForCommand } = await import('./other-tools.ts')
  const known = hintForCommand(typed)
  const message = `unknown command '${typed}'`
  if (known !== undefined) return new LocaldError('UNKNOWN_COMMAND', message, { hint: known })
  const { suggestCommand, suggestSubcommand } = await import('./suggestion.ts')
  const near = family === undefined ? suggestCommand(word) : suggestSubcommand(family, word)
  const help = family === undefined ? helpHint(undefined) : `See \`locald ${family} --help\`.`
  return new LocaldError('UNKNOWN_COMMAND', message, { hint: withSuggestion(near, help) })
}

function withSuggestion(near: string | undefined, hint: string): string {
  return near === undefined ? hint : `Did you mean '${near}'? ${hint}`
}

function helpHint(command: CommandSpec | undefined): string {
  return `See \`locald${command === undefined ? '' : ` ${command.name}`} --help\`.`
}
