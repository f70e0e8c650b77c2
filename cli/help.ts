import { cac } from 'cac'
import { print, printJson } from './output.ts'
import { versionOf } from './report.ts'
import { type Flag, globalFlags, type Spec, specs } from './specs.ts'
import type { Words } from './words.ts'

/** `locald --version`. */
export function version(words: Words): number {
  if (words.flags.has('json')) printJson({ version: versionOf() })
  else print(`locald ${versionOf()}`)
  return 0
}

/** `locald`, `locald --help`, `locald up --help`, `locald server --help`. */
export function help(words: Words): number {
  const { spec, group } = words
  const shown = group === undefined ? specs : specs.filter(each => each.name.startsWith(`${group} `))
  const cli = cac('locald')
  for (const each of shown) declare(each, cli)
  for (const flag of globalFlags) if (flag.name !== 'help') cli.option(written(flag), flag.about)
  cli.example('locald up').example('locald logs web -f').example('locald doctor')
  cli.help(sections => sections.slice(1).filter(section => !section.title?.startsWith('For more info')))
  // cac writes to console.info: stdout.
  cli.parse(['node', 'locald', ...(spec === undefined ? [] : [spec.name]), '--help'], { run: false })
  return 0
}

function declare(spec: Spec, cli: ReturnType<typeof cac>): void {
  const command = cli.command(`${spec.name} ${spec.words}`.trimEnd(), spec.about)
  command.usage(`${spec.name} ${spec.words}`.trimEnd() + (spec.flags.length > 0 ? ' [flags]' : ''))
  for (const flag of spec.flags) command.option(written(flag), flag.about)
  for (const example of spec.examples) command.example(`  $ ${example}`)
}

function written(flag: Flag): string {
  const short = flag.short === undefined ? '    ' : `-${flag.short}, `
  return `${short}--${flag.name}${flag.value === undefined ? '' : ` <${flag.value}>`}`
}
