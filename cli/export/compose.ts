import { stringify } from 'yaml'
import type { Template } from './environment.ts'
import type { Notes } from './notes.ts'
import type { Condition, Project, Service } from './project.ts'
import { tableAt, textsOf } from './project.ts'
import { appFolder, type Build, type Check, type Mount, secondsOf, type Workload } from './workload.ts'
import { workloadsOf } from './workloads.ts'

/** A mapping of the file; what is undefined is left out. */
type Mapping = Readonly<Record<string, unknown>>

const conditions: Readonly<Record<Condition, string>> = {
  started: 'service_started',
  ready: 'service_healthy',
  completed: 'service_completed_successfully',
}

/** Keys of a container that compose has by the same name. */
const sameKeys = ['user', 'shm_size', 'cpus'] as const
const pullPolicies: Readonly<Record<string, string>> = { always: 'always', never: 'never' }
/** Where locald starts, an engine's default of 30 seconds would delay everything that waits. */
const defaultInterval = 2

/** Writes a project as a compose file. https://github.com/compose-spec/compose-spec/blob/main/spec.md */
export async function toCompose(project: Project, notes: Notes): Promise<string> {
  const { services: all } = project
  for (const { name } of all.filter(isScheduled))
    notes.dropped(`services.${name}`, 'compose runs no commands by a schedule')
  const workloads = await workloadsOf({ ...project, services: all.filter(service => !isScheduled(service)) }, notes)
  const published = new Set<number>()
  const byName = new Map(workloads.map(workload => [workload.service.name, workload]))
  const services = workloads.map(workload => [
    workload.service.name,
    { ...serviceOf(workload, byName, notes), ports: portsOf(workload, published) },
  ])
  const named = workloads.flatMap(({ mounts }) => mounts.map(({ source }) => source).filter(isVolume))
  const volumes = Object.fromEntries([...new Set(named)].map(name => [name, {}]))
  const file = { services: Object.fromEntries(services), ...(named.length === 0 ? {} : { volumes }) }
  const head = `# Made from ${project.name} by \`locald export compose\`. Secrets are read from .env.\n`
  // Compose before version 2 reads YAML 1.1, in which `no` is no text.
  return `${head}${stringify(file, { lineWidth: 0, keepUndefined: false, version: '1.1' })}`
}

function isScheduled({ type }: Service): boolean {
  return type === 'cron'
}

function serviceOf(workload: Workload, others: ReadonlyMap<string, Workload>, notes: Notes): Mapping {
  const { service, kind, image, build, check } = workload
  const { table, envFiles, type } = service
  if (kind === 'source') {
    const listens = workload.port === undefined ? '' : `; it must listen on $HOST and $PORT, 0.0.0.0:${workload.port}`
    const guess = `runs in the image ${image}, a guess, with the project's folder: add a Dockerfile for another`
    notes.changed(`services.${service.name}.command`, guess + listens)
  }
  const source = kind === 'source' ? [{ source: './', target: appFolder, isReadOnly: false }] : []
  const mounts = [...source, ...workload.mounts]
  const environment = [...workload.env].map(([name, value]) => [name, textOf(value)])
  const files = type === 'postgres' || type === 'site' ? [] : envFiles.map(file => fileOf(file))
  const dependsOn = [...service.dependsOn].filter(([name]) => others.has(name))
  const labels = Object.entries(tableAt(table, 'labels')).map(([name, value]) => [name, literal(String(value))])
  return {
    image: image === undefined ? undefined : literal(image),
    build: build === undefined ? undefined : { ...build, args: argsOf(build) },
    entrypoint: workload.entrypoint?.map(literal),
    command: workload.command?.map(literal),
    working_dir: workload.workdir,
    ...Object.fromEntries(sameKeys.map(key => [key, table[key]])),
    mem_limit: table['memory'],
    init: type === 'container' ? table['init'] : kind === 'source' ? true : undefined,
    pull_policy: pullPolicies[String(table['pull'])],
    env_file: files.length === 0 ? undefined : files,
    environment: environment.length === 0 ? undefined : Object.fromEntries(environment),
    labels: labels.length === 0 ? undefined : Object.fromEntries(labels),
    tmpfs: textsOf(table['tmpfs']).length === 0 ? undefined : table['tmpfs'],
    volumes: mounts.length === 0 ? undefined : mounts.map(volumeOf),
    depends_on:
      dependsOn.length === 0
        ? undefined
        : Object.fromEntries(
            dependsOn.map(([name, condition]) => [
              name,
              { condition: conditionOf(service.name, name, condition, others.get(name), notes) },
            ]),
          ),
    healthcheck: check === undefined ? undefined : healthcheckOf(check, table['ready_timeout']),
    restart: String(table['restart'] ?? 'on-failure'),
    stop_signal: table['stop_signal'] === 'SIGTERM' ? undefined : table['stop_signal'],
    stop_grace_period: timeOf(secondsOf(table['stop_timeout'])),
  }
}

/** Publishes ports on 127.0.0.1, as locald does. A database has a name and a port for the other services only. */
function portsOf({ service, port, morePorts = [] }: Workload, published: Set<number>): readonly string[] | undefined {
  if (service.type === 'postgres') return undefined
  const inner = [...(port === undefined ? [] : [port]), ...morePorts]
  const ports = inner.map(each => {
    let outer = each < 1024 ? 8000 + each : each
    while (published.has(outer)) outer++
    published.add(outer)
    return `127.0.0.1:${outer}:${each}`
  })
  return ports.length === 0 ? undefined : ports
}

function conditionOf(
  name: string,
  other: string,
  condition: Condition,
  workload: Workload | undefined,
  notes: Notes,
): string {
  if (condition !== 'ready' || workload?.check !== undefined) return conditions[condition]
  if (workload?.service.type !== 'worker')
    notes.changed(
      `services.${name}.depends_on`,
      `waits until ${other} has started: no health check says when it is ready`,
    )
  return conditions.started
}

function healthcheckOf({ command, interval = defaultInterval, timeout = 5 }: Check, readyTimeout: unknown): Mapping {
  return {
    test: ['CMD-SHELL', literal(command)],
    interval: timeOf(Math.max(interval, 1)),
    timeout: timeOf(Math.max(timeout, 1)),
    retries: 3,
    start_period: timeOf(secondsOf(readyTimeout)),
  }
}

function timeOf(seconds: number | undefined): string | undefined {
  if (seconds === undefined) return undefined
  return Number.isInteger(seconds) ? `${seconds}s` : `${Math.round(seconds * 1000)}ms`
}

/** Keeps arguments as they are, except a secret: a reference to the variable of its name. */
function argsOf({ args }: Build): Mapping | undefined {
  if (args === undefined) return undefined
  return Object.fromEntries(
    Object.entries(args).map(([name, value]) => [name, value.startsWith('${') ? value : literal(value)]),
  )
}

function volumeOf({ source, target, isReadOnly }: Mount): string {
  const way = source === undefined ? '' : `${source === '.' ? './' : source}:`
  return literal(`${way}${target}${isReadOnly ? ':ro' : ''}`)
}

function isVolume(source: string | undefined): source is string {
  return source !== undefined && !/^[./~]/.test(source)
}

function fileOf(file: string): string {
  return literal(file.startsWith('/') || file.startsWith('.') ? file : `./${file}`)
}

function textOf(template: Template): string {
  return template
    .map(part => {
      if (typeof part === 'string') return literal(part)
      const fallback = textOf(part.fallback)
      return fallback === '' ? `\${${part.variable}}` : `\${${part.variable}:-${fallback}}`
    })
    .join('')
}

/** Keeps a text from compose's own interpolation. */
function literal(text: string): string {
  return text.replaceAll('$', '$$$$')
}
