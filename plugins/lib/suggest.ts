import { closest } from '../../kernel/system/suggest.ts'

export { closest }

/**
 * Returns a hint with the subcommand nearest to a misspelt word; undefined where none is near, and where that one
 * deletes, replaces or stops something: a suggestion is often typed without a second look.
 */
export function suggestSubcommand(
  word: string,
  names: readonly string[],
  destructive: readonly string[],
): string | undefined {
  const near = closest(word, names)
  return near === undefined || destructive.includes(near) ? undefined : `Did you mean '${near}'?`
}
