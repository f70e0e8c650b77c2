import type { Command, CommandFlag, Subcommand } from '../../kernel/contract/plugin.ts'

const gap = 2

/** Returns the text of a command that was called without a subcommand: each of them with its flags. */
export function usageOf({ name, subcommands = [] }: Pick<Command, 'name' | 'subcommands'>, title: string): string {
  const rows = subcommands.flatMap(each => [[labelOf(name, each), each.description] as const, ...flagRows(each)])
  const width = Math.max(...rows.map(([label]) => label.length)) + gap
  const lines = rows.map(([label, description]) => `  ${label.padEnd(width)}${description}`)
  return [`locald ${name}: ${title}`, '', ...lines].join('\n')
}

function labelOf(command: string, { name, usage = '' }: Subcommand): string {
  return `locald ${command} ${name} ${usage}`.trimEnd()
}

function flagRows({ flags = [] }: Subcommand): readonly (readonly [label: string, description: string])[] {
  return flags.map(flag => [`  ${wordsOf(flag)}`, flag.description])
}

function wordsOf({ name, value }: CommandFlag): string {
  return value === undefined ? `--${name}` : `--${name} ${value}`
}
