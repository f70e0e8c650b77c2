import { cac } from 'cac'
import { versionOf } from '../../kernel/system/package.ts'
import { commands, families } from '../args/commands.ts'
import { globalFlags } from '../args/flags.ts'
import type { ParsedArgs } from '../args/parse.ts'
import { type PluginCommand, pluginCommands } from '../args/plugin-commands.ts'
import { type Flag, groups } from '../args/spec.ts'
import { print, printJson } from '../output/terminal.ts'

const headline = 'Run every project on this machine: ports, names, environment, health and logs'
const footer = 'Run `locald <command> --help` for the arguments, flags and examples of a command.'
/** Text is wrapped there. */
const columns = Math.min(80, process.stdout.columns || 80)
/** The second of two columns is not made narrower. */
const leastAbout = 20

/** What the help of one command is made from. */
export interface HelpTopic {
  readonly name: string
  readonly args: string
  readonly about: string
  readonly details?: string
  readonly flags?: readonly Flag[]
  readonly examples?: readonly string[]
}

/** A section of the help, as cac has it. */
interface Section {
  readonly title?: string
  readonly body: string
}

/** `locald --version`. */
export function printVersion(args: ParsedArgs): number {
  if (args.flags.has('json')) printJson({ version: versionOf() })
  else print(`locald ${versionOf()}`)
  return 0
}

/** `locald`, `locald --help`, `locald up --help`, `locald server --help`. */
export function printHelp({ command, group }: ParsedArgs): number {
  if (command !== undefined) return printTopic(command)
  const usage = group === undefined ? '<command> [options]' : `${group} <command> [options]`
  const sections = group === undefined ? listGroups() : [{ title: 'Commands', body: formatRows(listFamily(group)) }]
  const examples = group === undefined ? ['locald up', 'locald logs web -f', 'locald doctor'] : []
  const cli = makeCli(examples)
  cli.usage(usage)
  const head = (group === undefined ? undefined : families[group]) ?? headline
  cli.help(([, ...rest]) => [{ body: head }, ...insertAfterUsage(rest, sections), { body: footer }])
  // cac prints to stdout.
  cli.parse(['node', 'locald', '--help'], { run: false })
  return 0
}

/** Prints the help of a plugin's command, or of one of its subcommands. */
export function printPluginTopic(
  { subcommands = [], ...command }: Omit<PluginCommand, 'group'>,
  subcommand: string | undefined,
): number {
  const found = subcommands.find(({ name }) => name === subcommand)
  if (found !== undefined) return printTopic({ ...found, name: `${command.name} ${found.name}` })
  const rows = subcommands.map(({ name, args, about }) => [`${command.name} ${name} ${args}`.trimEnd(), about] as const)
  return printTopic(command, rows.length === 0 ? [] : [{ title: 'Commands', body: formatRows(rows) }])
}

/** Prints the help of one command, with more sections below its usage. */
export function printTopic(
  { name, args, about, details, flags = [], examples = [] }: HelpTopic,
  sections: readonly Section[] = [],
): number {
  const cli = makeCli([])
  const usage = `${name} ${args}`.trimEnd()
  const command = cli.command(usage, about).usage(usage + (flags.length > 0 ? ' [options]' : ''))
  for (const flag of flags) command.option(formatFlag(flag), flag.about)
  for (const example of examples) command.example(`  $ ${example}`)
  const text = details === undefined ? about : `${about}\n\n${wrap(details)}`
  cli.help(([, ...rest]) => [{ body: text }, ...insertAfterUsage(rest, sections)])
  cli.parse(['node', 'locald', name, '--help'], { run: false })
  return 0
}

/**
 * Returns the commands of one or two words, each with its arguments and what it does, by the groups of `locald --help`.
 */
function listGroups(): readonly Section[] {
  const listed = new Set<string>()
  const rows = Object.keys(groups).map(group => listGroup(group, listed))
  const width = Math.max(...rows.flat().map(([label]) => label.length))
  return Object.values(groups).map((title, index) => ({ title, body: formatRows(rows[index] ?? [], width) }))
}

/** Lists a group without the families of earlier ones, which have commands in several. */
function listGroup(group: string, listed: Set<string>): readonly (readonly [label: string, about: string])[] {
  const own = commands
    .filter(command => command.group === group)
    .map(({ name, args, about }): readonly [string, string] => {
      const [first = '', second] = name.split(' ')
      return second === undefined
        ? [`${name} ${args}`.trimEnd(), about]
        : [`${first} <command>`, families[first] ?? about]
    })
  const ofPlugins = pluginCommands
    .filter(command => command.group === group)
    .map(({ name, args, about }): readonly [string, string] => [`${name} ${args}`.trimEnd(), about])
  const rows = [...new Map([...own, ...ofPlugins])].filter(([label]) => !listed.has(label))
  for (const [label] of rows) listed.add(label)
  return rows
}

function listFamily(first: string): readonly (readonly [label: string, about: string])[] {
  const inFamily = commands.filter(({ name }) => name.startsWith(`${first} `))
  return inFamily.map(({ name, args, about }) => [`${name} ${args}`.trimEnd(), about])
}

/** Formats rows of two columns, the second of them wrapped. */
export function formatRows(rows: readonly (readonly [string, string])[], width = 0): string {
  const padded = Math.max(width, ...rows.map(([label]) => label.length))
  const indent = ' '.repeat(padded + 4)
  const left = Math.max(leastAbout, columns - indent.length)
  return rows
    .map(([label, about]) => `  ${label.padEnd(padded)}  ${wrap(about, left).replaceAll('\n', `\n${indent}`)}`)
    .join('\n')
}

/** Returns cac with the flags of every command; it adds `--help` itself. */
function makeCli(examples: readonly string[]): ReturnType<typeof cac> {
  const cli = cac('locald')
  for (const flag of globalFlags) if (flag.name !== 'help') cli.option(formatFlag(flag), flag.about)
  for (const example of examples) cli.example(`  $ ${example}`)
  return cli
}

/** Puts sections below the usage, and removes what cac prints too much. */
function insertAfterUsage(sections: readonly Section[], more: readonly Section[]): Section[] {
  const [usage, ...rest] = sections.map(({ body, ...section }) => ({
    ...section,
    body: body
      .replace(/ +$/gm, '')
      .replace(/Display this message$/m, 'Print help')
      // cac's word for a flag that begins with `no-`: that it is not given.
      .replace(/ \(default: true\)$/gm, ''),
  }))
  return [...(usage === undefined ? [] : [usage]), ...more, ...rest]
}

function formatFlag(flag: Flag): string {
  const short = flag.short === undefined ? '    ' : `-${flag.short}, `
  return `${short}--${flag.name}${flag.value === undefined ? '' : ` <${flag.value}>`}`
}

/** Breaks text between words, at the width of the help or a smaller one. */
export function wrap(text: string, width = columns): string {
  const lines = ['']
  for (const word of text.split(/\s+/)) {
    const line = lines.at(-1) ?? ''
    if (line !== '' && line.length + 1 + word.length > width) lines.push(word)
    else lines[lines.length - 1] = line === '' ? word : `${line} ${word}`
  }
  return lines.join('\n')
}
