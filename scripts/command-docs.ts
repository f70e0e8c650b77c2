import { commands, families } from '../cli/args/commands.ts'
import type { PluginCommand } from '../cli/args/plugin-commands.ts'
import { type Flag, groups } from '../cli/args/spec.ts'
import { Container } from '../kernel/plugins/container.ts'
import { Contributions } from '../kernel/plugins/contributions.ts'
import { describeBuiltIns } from '../kernel/plugins/discover.ts'
import { Features } from '../kernel/plugins/features.ts'
import { HookRuns } from '../kernel/plugins/hooks.ts'
import { loadPlugins } from '../kernel/plugins/load.ts'
import { Teardown } from '../kernel/plugins/teardown.ts'
import shipped from '../plugins/index.ts'

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
    const { description: about = '', usage: args = '', group, details } = contributions.command(name) ?? {}
    return group === undefined ? [] : [{ name, args, group, about, ...(details === undefined ? {} : { details }) }]
  })
}

/** Returns the entries of cli/args/plugin-commands.ts. */
export function pluginCommandEntries(found: readonly PluginCommand[]): string {
  const text = (value: string) => (value.includes("'") ? JSON.stringify(value) : `'${value}'`)
  const entries = found.map(command => {
    const lines = Object.entries(command).map(([key, value]) => {
      const line = `    ${key}: ${text(value)},`
      return line.length <= 120 ? line : `    ${key}:\n      ${text(value)},`
    })
    return ['  {', ...lines, '  },'].join('\n')
  })
  return entries.join('\n')
}

/** Returns the reference of all commands as Markdown, by the groups of \`locald --help\`. */
export function commandReference(found: readonly PluginCommand[]): string {
  return Object.entries(groups)
    .map(([group, title]) => {
      const own = commands.filter(command => command.group === group).map(it => formatCommand(it, it.flags ?? []))
      const ofPlugins = found.filter(command => command.group === group).map(it => formatCommand(it, []))
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
