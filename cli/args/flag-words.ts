import type { CommandSpec } from './commands.ts'
import { globalFlags } from './flags.ts'
import { isFlag } from './lookup.ts'
import type { Flag } from './spec.ts'
import { unknownFlag, usageError } from './usage.ts'

/** The flags among words, and the other words. */
export interface FlagWords {
  /** Of a flag that was given more than once: the last value. */
  readonly flags: ReadonlyMap<string, string | true>
  /** All values of each flag that takes one, in order. */
  readonly values: ReadonlyMap<string, readonly string[]>
  readonly positionals: readonly string[]
}

/**
 * Separates flags from positionals. A flag's value is the next word or follows `=`; short flags may be joined: `-fn20`.
 * A command's own short flag takes precedence over one of every command.
 */
export async function parseFlags(words: readonly string[], command: CommandSpec | undefined): Promise<FlagWords> {
  const flags = new Map<string, string | true>()
  const values = new Map<string, readonly string[]>()
  const positionals: string[] = []
  for (let i = 0; i < words.length; i++) {
    const word = words[i] ?? ''
    if (!isFlag(word)) {
      positionals.push(word)
      continue
    }
    for (const { typed, flag, value } of await splitFlags(word, command)) {
      if (flag.value === undefined) {
        if (value !== undefined) throw usageError(`${typed} takes no value`, command)
        flags.set(flag.name, true)
        continue
      }
      const next = words[i + 1]
      const given = value ?? (next === undefined || isFlag(next) ? undefined : next)
      if (given === undefined) throw usageError(`${typed} needs a value: ${typed} ${flag.value}`, command)
      if (value === undefined) i++
      flags.set(flag.name, given)
      values.set(flag.name, [...(values.get(flag.name) ?? []), given])
    }
  }
  return { flags, values, positionals }
}

/** A flag as it was typed, with the value that was joined to it. */
interface TypedFlag {
  readonly typed: string
  readonly flag: Flag
  readonly value: string | undefined
}

/** Splits a word into its flags: `--name`, `--name=value`, `-f`, `-fn20`. */
async function splitFlags(word: string, command: CommandSpec | undefined): Promise<readonly TypedFlag[]> {
  const known = [...(command?.flags ?? []), ...globalFlags]
  if (word.startsWith('--')) {
    const equals = word.indexOf('=')
    const typed = equals < 0 ? word : word.slice(0, equals)
    const flag = known.find(each => `--${each.name}` === typed)
    if (flag === undefined) throw await unknownFlag(typed, known, command)
    return [{ typed, flag, value: equals < 0 ? undefined : word.slice(equals + 1) }]
  }
  const found: TypedFlag[] = []
  for (let i = 1; i < word.length; i++) {
    const typed = `-${word[i]}`
    const flag = known.find(({ short, otherShort }) => short === word[i] || otherShort === word[i])
    if (flag === undefined) throw await unknownFlag(word.length === 2 ? word : typed, known, command)
    const rest = word.slice(i + 1)
    if (flag.value === undefined) found.push({ typed, flag, value: undefined })
    else return [...found, { typed, flag, value: rest === '' ? undefined : rest.replace(/^=/, '') }]
  }
  return found
}
