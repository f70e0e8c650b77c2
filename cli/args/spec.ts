/** A flag: `value` is the placeholder of the value it takes; absent: it is on or off. */
export interface Flag {
  readonly name: string
  readonly short?: string
  /** Another letter that is accepted, and not shown. */
  readonly otherShort?: string
  readonly value?: string
  /** The values that it takes, where they are known. */
  readonly choices?: readonly string[]
  readonly about: string
}

/** The groups of `locald --help`, in its order. */
export const groups = {
  project: 'Project commands',
  data: 'Data commands',
  config: 'Configuration commands',
  machine: 'Machine commands',
  daemon: 'Daemon commands',
} as const

export type Group = keyof typeof groups

/** A command's name, its arguments and flags, and what `--help` prints about it. */
export interface Spec<Name extends string> {
  readonly name: Name
  /** Other names of the command, of one word. */
  readonly aliases?: readonly string[]
  /** Its positional arguments, as help shows them: `<ONE>`, `[PERHAPS]`, `[ANY…]`. */
  readonly args: string
  /** Whether its last arguments are a command, which is not parsed: the words after `--`, or all others. */
  readonly takesCommand?: boolean
  /** Whether it may come without that command: it then lists those that there are. */
  readonly isCommandOptional?: boolean
  /** The flag in place of its first argument: `with` of `run --with db npm test`. */
  readonly insteadOfArgument?: string
  readonly group: Group
  /** A bare verb and its object, at most 50 characters. */
  readonly about: string
  /** What else to know, in sentences. */
  readonly details?: string
  readonly flags?: readonly Flag[]
  readonly examples: readonly string[]
}
