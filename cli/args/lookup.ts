import { type CommandSpec, commands } from './commands.ts'
import { globalFlags } from './flags.ts'
import type { Flag } from './spec.ts'

/** Whether a word is a flag, not an argument: `-` alone is none. */
export function isFlag(word: string): boolean {
  return word.startsWith('-') && word !== '-'
}

/** Whether a word is a flag of every command, with or without its value. */
export function isGlobal(word: string): boolean {
  const [typed = ''] = word.split('=', 1)
  return globalFlags.some(
    ({ name, short, otherShort }) =>
      typed === `--${name}` || [short, otherShort].some(it => it !== undefined && word.startsWith(`-${it}`)),
  )
}

/** Returns the index of the first word from `from` on that is neither a flag nor the value of one that takes a value. */
export function findPositional(
  words: readonly string[],
  from = 0,
  flags: readonly Flag[] = globalFlags,
): number | undefined {
  for (let i = from; i < words.length; i++) {
    const word = words[i] ?? ''
    if (!isFlag(word)) return i
    if (isWithoutValue(word, flags)) i++
  }
  return undefined
}

/** Whether the value of a flag is the next word. */
function isWithoutValue(word: string, flags: readonly Flag[]): boolean {
  const flag = flags.find(({ name, short }) => word === `--${name}` || (short !== undefined && word === `-${short}`))
  return flag?.value !== undefined
}

/** Returns the command that the word at an index names, alone or with the next one. */
export function findCommand(words: readonly string[], at: number): CommandSpec | undefined {
  const one = words[at]
  const two = `${one} ${words[at + 1]}`
  return (
    commands.find(command => command.name === two) ??
    commands.find(({ name, aliases }) => one !== undefined && (name === one || aliases?.includes(one) === true))
  )
}

/** Returns how many words name a command. */
export function countWords(command: CommandSpec): number {
  return command.name.split(' ').length
}

/** Returns the second words of commands that begin with a word. */
export function listSubcommands(word: string | undefined): readonly string[] {
  return commands.filter(({ name }) => name.startsWith(`${word} `)).map(({ name }) => name.split(' ')[1] ?? '')
}
