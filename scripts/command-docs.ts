import { commands, families } from '../cli/args/commands.ts'
import type { PluginCommand, PluginSubcommand } from '../cli/args/plugin-commands.ts'
import { type Flag, groups } from '../cli/args/spec.ts'
import { describeSubcommand } from '../cli/args/subcommand.ts'
import { Container } from '../kernel/plugins/container.ts'
import { Contributions } from '../kernel/plugins/contributions.ts'
import { describeBuiltIns } from '../kernel/plugins/discover.ts'
import { Features } from '../kernel/plugins/features.ts'
import { HookRuns } from '../kernel/plugins/hooks.ts'
import { loadPlugins } from '../kernel/plugins/load.ts'
import { Teardown } from '../kernel/plugins/teardown.ts'
import shipped from '../plugins/index.ts'

const columns = 120

/**
 * Returns the commands that the plugins which ship add to `locald --help`. Their setup only declares: it touches
 * nothing on the machine.
 */
export async function findPluginCommands(): Promise<readonly PluginCommand[]> {
  const features = new Features()
  const teardown = new Teardown(1000)
  const contributions = new Contributions(features)
  const log = () => ({ info() {}, warn() {}, error() {} })
  await loadPlugins(describeBuiltIns(shipped, '0.0.0'), {
    facts: { os: 'linux', release: 6, arch: 'x64', uid: 1000 },
    folders: { data: '/none', config: '/none', runtime: '/none', sockets: '/none', native: '/none' },
    settings: {},
    features,
    contributions,
    container: new Container(teardown),
    hooks: new HookRuns(1000),
    teardown,
    log,
  })
  return contributions.commandNames().flatMap(name => {
    const command = contributions.command(name)
    if (command?.group === undefined) return []
    const { description: about, usage: args = '', group, details, subcommands } = command
    return [
      {
        ...{ name, args, group, about },
        ...(details === undefined ? {} : { details }),
        ...(subcommands === undefined ? {} : { subcommands: subcommands.map(describeSubcommand) }),
      },
    ]
  })
}

/** Returns the entries of cli/args/plugin-commands.ts, as Biome formats them. */
export function pluginCommandEntries(found: readonly PluginCommand[]): string {
  return found.map(command => `  ${formatValue(command, 2, '')},`).join('\n')
}

/** Writes a value as TypeScript: objects on lines of their own, their texts on the next line where they are long. */
function formatValue(value: unknown, indent: number, key: string): string {
  const inner = ' '.repeat(indent + 2)
  if (Array.isArray(value)) {
    const items = value.map(item => `${inner}${formatValue(item, indent + 2, '')},\n`)
    return `[\n${items.join('')}${' '.repeat(indent)}]`
  }
  if (typeof value === 'object' && value !== null) {
    const lines = Object.entries(value).map(([name, each]) => {
      const text = formatValue(each, indent + 2, name)
      return `${inner}${name}:${text.startsWith('\n') ? '' : ' '}${text},\n`
    })
    return `{\n${lines.join('')}${' '.repeat(indent)}}`
  }
  const text = String(value)
  const quoted = text.includes("'") ? JSON.stringify(text) : `'${text}'`
  const isLong = indent + key.length + quoted.length + 3 > columns
  return isLong ? `\n${' '.repeat(indent + 2)}${quoted}` : quoted
}

/** Returns the reference of all commands as Markdown, by the groups of \`locald --help\`. */
export function commandReference(found: readonly PluginCommand[]): string {
  return Object.entries(groups)
    .map(([group, title]) => {
      const own = commands.filter(command => command.group === group).map(it => formatCommand(it, it.flags ?? []))
      const ofPlugins = found.filter(command => command.group === group).map(it => formatPluginCommand(it))
      return `\n${[`### ${title}`, ...own, ...ofPlugins].join('\n\n')}\n`
    })
    .join('')
}

/** Returns a file with a generated part in place of the one between its marks. Throws where it has none. */
export function replaceGenerated(file: string, text: string): string {
  const parts = /^([\s\S]*`npm run generate`[^\n]*\n)[\s\S]*?([^\n]*End of the generated part[\s\S]*)$/.exec(file)
  const [, head, end] = parts ?? []
  if (head === undefined || end === undefined) throw new Error('the marks of the generated part are missing')
  return `${head}${text}\n${end}`
}

/** Returns the section of a plugin's command, with a line for each of its subcommands and their flags. */
function formatPluginCommand(command: PluginCommand): string {
  const subcommands = (command.subcommands ?? []).map(each => formatSubcommand(command.name, each))
  return [formatCommand(command, []), ...(subcommands.length === 0 ? [] : [subcommands.join('\n')])].join('\n\n')
}

function formatSubcommand(command: string, { name, args, about, details, flags = [] }: PluginSubcommand): string {
  const text = details === undefined ? about : `${about}. ${details.replace(/\.$/, '')}`
  const line = `- \`${`locald ${command} ${name} ${args}`.trimEnd()}\`: ${text}`
  const listed = flags.map(({ name: flag, value, about: what }) => `  - \`${formatFlag(flag, value)}\`: ${what}`)
  return [line, ...listed].join('\n')
}

function formatFlag(name: string, value: string | undefined): string {
  return value === undefined ? `--${name}` : `--${name} ${value}`
}

function formatCommand(
  { name, args, about, details }: Pick<PluginCommand, 'name' | 'args' | 'about' | 'details'>,
  flags: readonly Flag[],
): string {
  const text = details === undefined ? `${about}.` : `${about}. ${details}`
  const listed = flags.map(({ short, name: flag, value, about: what }) => {
    const typed = [...(short === undefined ? [] : [`-${short}`]), `--${flag}`].join(', ')
    return `- \`${typed}${value === undefined ? '' : ` ${value}`}\`: ${what}`
  })
  return [
    `#### \`locald ${`${name} ${args}`.trimEnd()}\``,
    text,
    ...(listed.length === 0 ? [] : [listed.join('\n')]),
  ].join('\n\n')
}

/** Returns the first words that have no line of their own in \`locald --help\`. */
export function findFamiliesWithoutText(): readonly string[] {
  const firsts = commands.flatMap(({ name }) => (name.includes(' ') ? [name.split(' ')[0] ?? ''] : []))
  return [...new Set(firsts)].filter(first => families[first] === undefined)
}
