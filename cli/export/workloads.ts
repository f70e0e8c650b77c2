import { join } from 'node:path'
import { isTable } from '../../kernel/config/document/table.ts'
import { exists } from '../../kernel/system/stat.ts'
import { checkOf } from './check.ts'
import { type EnvironmentParts, type Exports, environmentOf, type Template } from './environment.ts'
import { noteKeys } from './keys.ts'
import type { Notes } from './notes.ts'
import { withPorts } from './ports.ts'
import { type Project, type Service, tableAt, textsOf } from './project.ts'
import { guessRuntime, withTools } from './runtime.ts'
import { hideSecrets, Secrets } from './secrets.ts'
import { appFolder, type Build, type Mount, type Workload, wordsOf } from './workload.ts'

const newestPostgres = '18'

/** Returns every service that can run in a container. */
export async function workloadsOf(given: Project, notes: Notes): Promise<readonly Workload[]> {
  const secrets = secretsOf(given)
  const project = hideSecrets(given, secrets, notes)
  const ports = portsOf(project)
  const exports = new Map(project.services.map(service => [service.name, exportsOf(service, ports.get(service.name))]))
  const parts = { project, secrets, notes, exports }
  noteKeys(project, notes)
  const found = await Promise.all(project.services.map(service => workloadOf(service, ports.get(service.name), parts)))
  return found.filter(workload => workload !== undefined)
}

/** Returns what hides the secrets of a project's files and configuration. */
export function secretsOf({ name: project, services, env }: Project): Secrets {
  const tables = [env, ...services.map(({ table }) => tableAt(table, 'env'))]
  const values = tables.flatMap(table => Object.entries(table).map(([name, value]) => [name, String(value)] as const))
  const words = new Set([project, ...services.flatMap(({ name, type }) => [name, type])])
  return new Secrets([...services.flatMap(({ fromFiles }) => [...fromFiles]), ...values], words)
}

/** Returns the port that each service has inside. */
function portsOf({ services }: Project): ReadonlyMap<string, number> {
  const ports = new Map<string, number>()
  for (const { name, type, table } of services) {
    const written = type === 'container' ? table['container_port'] : table['port']
    if (type === 'postgres') ports.set(name, 5432)
    else if (type === 'site') ports.set(name, 80)
    else if (typeof written === 'number') ports.set(name, written)
  }
  return withPorts(services, ports)
}

function exportsOf({ name, type, table }: Service, port: number | undefined): Exports {
  const common = { host: [name], ...(port === undefined ? {} : { port: [String(port)] }) }
  if (type === 'postgres') {
    const [database = 'postgres'] = textsOf(table['databases'])
    const password: Template = [{ variable: 'POSTGRES_PASSWORD', fallback: ['postgres'] }]
    const url = ['postgresql://postgres:', ...password, `@${name}:5432/${encodeURIComponent(database)}`]
    return { ...common, url, user: ['postgres'], password, database: [database] }
  }
  const more = textsOf(table['ports']).map(inner => [`ports.${inner}`, [inner]] as const)
  const scheme = table['protocol'] === 'https' ? 'https' : 'http'
  const url = port === undefined ? {} : { url: [`${scheme}://${name}:${port}`] }
  return { ...common, ...url, ...Object.fromEntries(more) }
}

async function workloadOf(
  service: Service,
  port: number | undefined,
  parts: EnvironmentParts,
): Promise<Workload | undefined> {
  const { type, name } = service
  if (type === 'exec' || type === 'worker' || type === 'cron') return commandWorkload(service, port, parts)
  if (type === 'container') return containerWorkload(service, port, parts)
  if (type === 'postgres') return postgresWorkload(service, parts)
  if (type === 'site') return siteWorkload(service, parts)
  parts.notes.dropped(`services.${name}`, `services of type '${type}' have no counterpart`)
  return undefined
}

async function commandWorkload(service: Service, port: number | undefined, parts: EnvironmentParts): Promise<Workload> {
  const { project, notes } = parts
  const { name, table } = service
  const folder = join('.', String(table['workdir'] ?? '.'))
  const outer = join(project.root, folder)
  const command = String(table['command'])
  const key = `services.${name}.command`
  const own = environmentOf(service, parts)
  const env = port === undefined ? own : new Map([...own, ['PORT', [String(port)]], ['HOST', ['0.0.0.0']]])
  const common = { service, env, mounts: [], ...(port === undefined ? {} : { port }) }
  if (await exists(join(outer, 'Dockerfile'))) {
    notes.changed(key, `the image of ${join(folder, 'Dockerfile')} runs its own command`)
    return withCheck({ ...common, kind: 'build', build: { context: contextOf(folder) } }, withTools, parts)
  }
  const runtime = await guessRuntime(command, outer)
  const workdir = join(appFolder, folder)
  const source: Workload = { ...common, kind: 'source', image: runtime.image, command: ['sh', '-c', command], workdir }
  return withCheck(source, runtime, parts)
}

function withCheck(workload: Workload, tools: Parameters<typeof checkOf>[2], { notes }: EnvironmentParts): Workload {
  const check = checkOf(workload.service, workload.port, tools, notes)
  return check === undefined ? workload : { ...workload, check }
}

function contextOf(folder: string): string {
  return folder === '.' || folder.startsWith('..') || folder.startsWith('/') ? folder : `./${folder}`
}

function containerWorkload(service: Service, port: number | undefined, parts: EnvironmentParts): Workload {
  const { table } = service
  const build = table['build']
  const words = (key: string) => {
    const value = table[key]
    const list = typeof value === 'string' ? wordsOf(value) : textsOf(value)
    return list.length === 0 ? {} : { [key]: list }
  }
  const workload: Workload = {
    service,
    ...(isTable(build) ? { kind: 'build', build: buildOf(build) } : { kind: 'image', image: String(table['image']) }),
    ...words('entrypoint'),
    ...words('command'),
    ...(port === undefined ? {} : { port }),
    morePorts: textsOf(table['ports']).map(Number),
    env: new Map([
      ...environmentOf(service, parts),
      ...(port === undefined ? [] : [['PORT', [String(port)]] as const]),
    ]),
    mounts: textsOf(table['volumes']).map(mountOf),
  }
  return withCheck(workload, withTools, parts)
}

function buildOf(build: Readonly<Record<string, unknown>>): Build {
  const text = (key: string) => (typeof build[key] === 'string' ? { [key]: build[key] } : {})
  const args = Object.entries(tableAt(build, 'args')).map(([key, value]) => [key, String(value)] as const)
  const some = args.length === 0 ? {} : { args: Object.fromEntries(args) }
  return {
    context: contextOf(join('.', String(build['context'] ?? '.'))),
    ...text('dockerfile'),
    ...text('target'),
    ...some,
  }
}

function mountOf(text: string): Mount {
  const parts = text.split(':')
  const [first = '', second] = parts
  if (second === undefined || !second.startsWith('/'))
    return { target: first, isReadOnly: second?.includes('ro') ?? false }
  return { source: first, target: second, isReadOnly: parts[2]?.split(',').includes('ro') ?? false }
}

function postgresWorkload(service: Service, { notes }: EnvironmentParts): Workload {
  const { name, table } = service
  const version = String(table['version'] ?? newestPostgres)
  const [database = 'postgres', ...others] = textsOf(table['databases'])
  const at = `services.${name}`
  if (others.length > 0)
    notes.dropped(`${at}.databases`, `the image creates only '${database}': create the others yourself`)
  if (textsOf(table['extensions']).length > 0)
    notes.dropped(`${at}.extensions`, 'run CREATE EXTENSION yourself, in an image that has them')
  notes.changed(at, 'its password is $POSTGRES_PASSWORD, by default postgres; the data of locald is not part of it')
  const settings = Object.entries(tableAt(table, 'settings')).flatMap(([key, value]) => [
    '-c',
    `${key}=${String(value)}`,
  ])
  const folder = Number(version) >= 18 ? '/var/lib/postgresql' : '/var/lib/postgresql/data'
  const init = table['init']
  const initMount =
    typeof init === 'string'
      ? [{ source: contextOf(join('.', init)), target: '/docker-entrypoint-initdb.d/init.sql', isReadOnly: true }]
      : []
  return {
    service,
    kind: 'image',
    image: `postgres:${version}`,
    ...(settings.length === 0 ? {} : { command: ['postgres', ...settings] }),
    port: 5432,
    env: new Map<string, Template>([
      ['POSTGRES_PASSWORD', [{ variable: 'POSTGRES_PASSWORD', fallback: ['postgres'] }]],
      ['POSTGRES_DB', [database]],
    ]),
    mounts: [{ source: `${name}-data`, target: folder, isReadOnly: false }, ...initMount],
    // By TCP: while the image prepares the data, its server has a socket only.
    check: { command: 'pg_isready -h 127.0.0.1 -U postgres', probe: { type: 'command' } },
  }
}

function siteWorkload(service: Service, parts: EnvironmentParts): Workload {
  const { name, table } = service
  if (table['build'] !== undefined)
    parts.notes.dropped(`services.${name}.build`, 'build the files before: the image serves them as they are')
  if (table['spa'] === true) parts.notes.dropped(`services.${name}.spa`, 'nginx answers a path without a file with 404')
  const folder = join('.', String(table['workdir'] ?? '.'), String(table['path'] ?? '.'))
  const source = folder === '.' ? './' : contextOf(folder)
  return {
    service,
    kind: 'image',
    image: 'nginx:stable',
    port: 80,
    env: new Map(),
    mounts: [{ source, target: '/usr/share/nginx/html', isReadOnly: true }],
  }
}
