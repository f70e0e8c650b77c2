import { closest } from '../../kernel/system/suggest.ts'
import { commands, families } from './commands.ts'
import { listSubcommands } from './lookup.ts'
import { pluginCommands } from './plugin-commands.ts'
import type { Flag } from './spec.ts'

/**
 * Commands that stop or delete something, in whole or as the first word: a misspelt word never suggests one, as a
 * suggestion is often typed without a second look.
 */
export const destructiveCommands: ReadonlySet<string> = new Set([
  ...['stop', 'untrust', 'service reset', 'service remove', 'admin uninstall', 'plugins remove'],
  ...['registry clean', 'registry unpin', 'server shutdown', 'server uninstall'],
])

/** Flags that widen what such a command does, or skip its question. */
const destructiveFlags: ReadonlySet<string> = new Set(['--all', '--yes', '--purge', '--force', '--data'])

/** Returns the command, or the first word of commands, that a misspelt word most likely means. */
export function suggestCommand(word: string): string | undefined {
  const known: readonly { readonly name: string; readonly aliases?: readonly string[] }[] = [
    ...commands,
    ...pluginCommands,
  ]
  const safe = known.filter(({ name }) => isSafe(name))
  // A short one is near to too many words, such as `top` to `sotp`.
  const aliases = safe.flatMap(command => command.aliases ?? []).filter(alias => alias.length > 4)
  const names = [...safe.map(({ name }) => name), ...aliases]
  return closest(word, [...names, ...Object.keys(families)])
}

/** Returns the subcommand that a misspelt word most likely means. */
export function suggestSubcommand(family: string, word: string): string | undefined {
  return closest(
    word,
    listSubcommands(family).filter(name => isSafe(`${family} ${name}`)),
  )
}

/** Returns the flag that a misspelt one most likely means. */
export function suggestFlag(typed: string, known: readonly Flag[], command: string | undefined): string | undefined {
  const isDestructive = command !== undefined && destructiveCommands.has(command)
  const names = known.map(({ name }) => `--${name}`)
  return closest(
    typed,
    names.filter(name => !isDestructive || !destructiveFlags.has(name)),
  )
}

function isSafe(name: string): boolean {
  return !destructiveCommands.has(name)
}
