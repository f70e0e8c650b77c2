import { LocaldError } from '../../kernel/errors.ts'
import type { ArgumentValue, CommandArgumentView, ServiceCommandView } from '../../kernel/protocol.ts'
import { closest } from '../../kernel/system/suggest.ts'

/** What was typed after a command that a service declares. */
export interface DeclaredFlags {
  readonly values: Readonly<Record<string, ArgumentValue>>
  readonly isHelp: boolean
  /** Whether nothing is asked. */
  readonly isConfirmed: boolean
}

/**
 * Reads the arguments of a declared command: `--size 10`, `--size=10`, and `--force` or `--no-force` for one that is true
 * or false. Their types are the daemon's to check. Throws USAGE for any other word.
 *
 * @param what the words before them, for messages: `seed fresh`
 */
export function readDeclaredFlags(what: string, { args }: ServiceCommandView, words: readonly string[]): DeclaredFlags {
  const values: Record<string, ArgumentValue> = {}
  let isHelp = false
  let isConfirmed = false
  for (let at = 0; at < words.length; at++) {
    const word = words[at] ?? ''
    if (word === '--help' || word === '-h') isHelp = true
    else if (word === '--yes') isConfirmed = true
    else if (!word.startsWith('--') || word === '--') throw usageError(what, `unexpected argument '${word}'`)
    else {
      const [, typed = '', joined] = /^([^=]*)(?:=([\s\S]*))?$/.exec(word) ?? []
      const { argument, isOff } = findArgument(what, typed, args)
      const next = words[at + 1]
      if (joined !== undefined && !isOff) values[argument.name] = joined
      else if (argument.type === 'boolean') {
        if (joined !== undefined) throw usageError(what, `${typed} takes no value`)
        values[argument.name] = !isOff
      } else if (next === undefined || next.startsWith('--')) {
        throw usageError(what, `${typed} needs a value: ${typed}=${placeholderOf(argument)}`)
      } else {
        values[argument.name] = next
        at++
      }
    }
  }
  return { values, isHelp, isConfirmed }
}

/** Returns what stands for the value of an argument in help: `INTEGER`, `small|large`. */
export function placeholderOf({ type, values = [] }: CommandArgumentView): string {
  return type === 'enum' ? values.join('|') : type.toUpperCase()
}

/** Returns the flags by which a declared command's argument is given. */
export function flagsOf({ name, type }: CommandArgumentView): readonly string[] {
  return type === 'boolean' ? [`--${name}`, `--no-${name}`] : [`--${name}`]
}

/** Returns a command as it is typed: `fresh --mode small|large [--size INTEGER]`. */
export function usageOf({ name, args }: ServiceCommandView): string {
  const words = args.map(argument => {
    const [flag = ''] = flagsOf(argument)
    const typed = argument.type === 'boolean' ? flag : `${flag} ${placeholderOf(argument)}`
    return argument.default === undefined ? typed : `[${typed}]`
  })
  return [name, ...words].join(' ')
}

function findArgument(what: string, typed: string, args: readonly CommandArgumentView[]) {
  for (const argument of args) {
    const at = flagsOf(argument).indexOf(typed)
    if (at >= 0) return { argument, isOff: at === 1 }
  }
  const near = closest(typed, [...args.flatMap(flagsOf), '--help'])
  throw usageError(what, `unknown flag ${typed}`, near)
}

function usageError(what: string, message: string, near?: string): LocaldError {
  const meant = near === undefined ? '' : `Did you mean '${near}'? `
  return new LocaldError('USAGE', `${what}: ${message}`, { hint: `${meant}See \`locald run ${what} --help\`.` })
}
