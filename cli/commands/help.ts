import { cac } from 'cac'
import { versionOf } from '../../kernel/system/package.ts'
import { type CommandSpec, commands, type Flag, globalFlags } from '../args/commands.ts'
import type { Words } from '../args/parse.ts'
import { print, printJson } from '../output/terminal.ts'
import { shippedCommands } from './plugin-command.ts'

/** `locald --version`. */
export function version(words: Words): number {
  if (words.flags.has('json')) printJson({ version: versionOf() })
  else print(`locald ${versionOf()}`)
  return 0
}

/** `locald`, `locald --help`, `locald up --help`, `locald server --help`. */
export function help(words: Words): number {
  const { spec, group } = words
  const cli = cac('locald')
  for (const each of commands) if (group === undefined || each.name.startsWith(`${group} `)) declare(each, cli)
  if (group === undefined) for (const { name, about } of shippedCommands) cli.command(name, about)
  for (const flag of globalFlags) if (flag.name !== 'help') cli.option(written(flag), flag.about)
  if (group === undefined) for (const example of ['up', 'logs web -f', 'doctor']) cli.example(`  $ locald ${example}`)
  const about = spec?.about ?? 'Runs every project on this machine: ports, names, environment, health and logs'
  cli.help(([, ...sections]) => {
    const shown = sections.filter(({ title }) => title?.startsWith('For more info') !== true)
    return [{ body: about }, ...shown.map(({ body, ...rest }) => ({ ...rest, body: body.replace(/ +$/gm, '') }))]
  })
  // cac prints to stdout.
  cli.parse(['node', 'locald', ...(spec === undefined ? [] : [spec.name]), '--help'], { run: false })
  return 0
}

function declare(spec: CommandSpec, cli: ReturnType<typeof cac>): void {
  const line = `${spec.name} ${spec.words}`.trimEnd()
  const command = cli.command(line, spec.about)
  command.usage(line + (spec.flags.length > 0 ? ' [options]' : ''))
  for (const flag of spec.flags) command.option(written(flag), flag.about)
  for (const example of spec.examples) command.example(`  $ ${example}`)
}

function written(flag: Flag): string {
  const short = flag.short === undefined ? '    ' : `-${flag.short}, `
  return `${short}--${flag.name}${flag.value === undefined ? '' : ` <${flag.value}>`}`
}
