import { basename, join } from 'node:path'
import { parse } from 'smol-toml'
import type { ServiceView } from '../../kernel/events.ts'
import { readTextFile } from '../../kernel/lib/text-file.ts'
import type { RedactAnswer, RegistryAnswer, ServiceCommandView, StatusAnswer } from '../../kernel/protocol.ts'
import { usageOf } from '../args/declared-flags.ts'
import { findProjectFolder } from '../args/folder.ts'
import type { Context } from '../context.ts'
import { type Client, findDaemon } from '../daemon/client.ts'
import { readDeclared } from '../daemon/declared-commands.ts'
import { sanitizeLine } from '../output/sanitize.ts'
import { shortName, stateOf } from '../output/service-state.ts'
import { print, printJson } from '../output/terminal.ts'
import { guide } from './guide.ts'

/** Services that are listed: the page is of at most 2,000 tokens. */
const mostServices = 25
/** Commands that are listed, of all services together. */
const mostCommands = 10
/** Of a line about a service or a command, UTF-16 units. */
const longestLine = 120

/** A project as the page shows it. */
interface Outline {
  readonly name: string
  readonly path: string
  readonly services: readonly string[]
  /** What services declare to be run, with what each is for. */
  readonly commands: readonly string[]
}

/** Prints the page. Starts no daemon; without one it is made from locald.toml. */
export async function printContext({ cwd, json, paths }: Context): Promise<number> {
  const daemon = await findDaemon(paths)
  const running = daemon === undefined ? undefined : await outlineRunning(daemon, cwd)
  const outline = running ?? (await outlineFile(cwd))
  const text = toPage(daemon === undefined ? outline : await redact(daemon, outline))
  if (json) printJson({ text })
  else print(text)
  return 0
}

function toPage({ name, path, services, commands }: Outline): string {
  const list = toList(services, mostServices, 'locald status')
  return [
    `# ${name}`,
    '',
    `The project in ${path} runs with locald, which starts its services, gives each a port and a URL, and keeps its logs.`,
    '',
    '## Services',
    '',
    ...(list.length === 0 ? ['None is known yet: `locald up` finds them.'] : list),
    '',
    ...(commands.length === 0 ? [] : ['## Commands', '', ...toList(commands, mostCommands, 'locald run SERVICE'), '']),
    '## How to use it',
    '',
    guide,
  ].join('\n')
}

function toList(lines: readonly string[], most: number, rest: string): readonly string[] {
  const left = lines.length - most
  const shown = lines.slice(0, most).map(line => `- ${cut(line)}`)
  return left > 0 ? [...shown, `- ${left} more in \`${rest}\``] : shown
}

function cut(line: string): string {
  const plain = sanitizeLine(line)
  return plain.length > longestLine ? `${plain.slice(0, longestLine - 1)}…` : plain
}

async function outlineRunning(daemon: Client, cwd: string): Promise<Outline | undefined> {
  const { services } = await daemon.get<StatusAnswer>('/v1/services', { path: cwd })
  const [first] = services
  if (first === undefined) return undefined
  const { projects } = await daemon.get<RegistryAnswer>('/v1/registry')
  const known = projects.find(({ path }) => path === first.path)
  const branch = known?.branch === undefined ? '' : ` (worktree of branch ${known.branch})`
  const declared = await readDeclared(daemon, { path: first.path }).catch(() => [])
  return {
    ...{ name: `${first.project}${branch}`, path: first.path, services: services.map(describeService) },
    commands: declared.flatMap(({ key, commands }) =>
      commands.map(command => describeCommand(shortName(key), command)),
    ),
  }
}

function describeCommand(service: string, command: ServiceCommandView): string {
  const { description } = command
  return `\`locald run ${service} ${usageOf(command)}\`${description === null ? '' : `: ${description}`}`
}

function describeService(view: ServiceView): string {
  const { name, type, url, port, reason } = view
  const where = url ?? (port === null ? 'no port' : `127.0.0.1:${port}`)
  return `${name} (${type}): ${stateOf(view)}, ${where}${reason === null ? '' : `, ${reason}`}`
}

/** Reads names and types alone: a command or a variable may have a secret in it. */
async function outlineFile(cwd: string): Promise<Outline> {
  const folder = findProjectFolder(cwd) ?? cwd
  const read = await readTextFile(join(folder, 'locald.toml')).catch(() => undefined)
  const table = read !== undefined && 'text' in read ? parseTable(read.text) : {}
  const project = asTable(table['project'])
  const tables = Object.entries(asTable(table['services'])).map(([name, value]) => [name, asTable(value)] as const)
  const services = tables.map(
    ([name, { type }]) => `${name} (${typeof type === 'string' ? type : 'exec'}): not started`,
  )
  const commands = tables.flatMap(([name, value]) =>
    Object.keys(asTable(value['commands'])).map(command => `\`locald run ${name} ${command}\``),
  )
  const name = typeof project['name'] === 'string' ? project['name'] : basename(folder)
  return { name, path: folder, services, commands }
}

function parseTable(text: string): Readonly<Record<string, unknown>> {
  try {
    return parse(text)
  } catch {
    // `locald up` reports what is wrong with it.
    return {}
  }
}

function asTable(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? { ...value } : {}
}

/** Masks the lines before they are cut: half a secret is one, too. */
async function redact(daemon: Client, outline: Outline): Promise<Outline> {
  const { services, commands } = outline
  const { value } = await daemon.post<RedactAnswer>('/v1/redact', { value: { services, commands } })
  const masked = asTable(value)
  return { ...outline, services: toTexts(masked['services']), commands: toTexts(masked['commands']) }
}

function toTexts(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.map(String) : []
}
