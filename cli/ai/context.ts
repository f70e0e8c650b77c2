import { basename, join } from 'node:path'
import { parse } from 'smol-toml'
import { readTextFile } from '../../kernel/contract/text-file.ts'
import type { ServiceView } from '../../kernel/events.ts'
import type { RedactAnswer, RegistryAnswer, StatusAnswer } from '../../kernel/protocol.ts'
import { findProjectFolder } from '../args/folder.ts'
import type { Context } from '../context.ts'
import { type Client, findDaemon } from '../daemon/client.ts'
import { sanitizeLine } from '../output/sanitize.ts'
import { stateOf } from '../output/service-state.ts'
import { print, printJson } from '../output/terminal.ts'
import { guide } from './guide.ts'

/** Services that are listed: the page is of at most 2,000 tokens. */
const mostServices = 30
/** Of a line about a service, UTF-16 units. */
const longestLine = 120

/** A project as the page shows it. */
interface Outline {
  readonly name: string
  readonly path: string
  readonly services: readonly string[]
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

function toPage({ name, path, services }: Outline): string {
  const shown = services.slice(0, mostServices).map(line => `- ${cut(line)}`)
  const left = services.length - shown.length
  const list = services.length === 0 ? ['None is known yet: `locald up` finds them.'] : shown
  return [
    `# ${name}`,
    '',
    `The project in ${path} runs with locald, which starts its services, gives each a port and a URL, and keeps its logs.`,
    '',
    '## Services',
    '',
    ...[...list, ...(left > 0 ? [`- ${left} more in \`locald status\``] : [])],
    '',
    '## How to use it',
    '',
    guide,
  ].join('\n')
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
  return { name: `${first.project}${branch}`, path: first.path, services: services.map(describeService) }
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
  const services = Object.entries(asTable(table['services'])).map(([name, value]) => {
    const { type } = asTable(value)
    return `${name} (${typeof type === 'string' ? type : 'exec'}): not started`
  })
  const name = typeof project['name'] === 'string' ? project['name'] : basename(folder)
  return { name, path: folder, services }
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
  const { value } = await daemon.post<RedactAnswer>('/v1/redact', { value: outline.services })
  return { ...outline, services: Array.isArray(value) ? value.map(String) : [] }
}
