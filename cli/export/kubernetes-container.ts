import type { Template } from './environment.ts'
import type { Notes } from './notes.ts'
import { type Project, textsOf } from './project.ts'
import { type Check, imageName, type Mount, type Workload } from './workload.ts'

type Mapping = Readonly<Record<string, unknown>>

/** A container, the volumes of its pod, and the claims for those that last. */
export interface Container {
  readonly container: Mapping
  readonly volumes: readonly Mapping[]
  readonly claims: readonly string[]
}

/** Returns the container of a service. */
export function containerOf(project: Project, workload: Workload, notes: Notes): Container {
  const { service, image, kind, entrypoint, command, port, morePorts = [], check } = workload
  const { name, table } = service
  const ports = [...(port === undefined ? [] : [port]), ...morePorts]
  // A command in a shell is a program of its own; that of an image has the entrypoint of the image before it.
  const program = kind === 'source' ? command : entrypoint
  const args = kind === 'source' ? undefined : command
  const isOwn = kind === 'image'
  const mounted = mountsOf(workload, notes)
  const hasConfig = [...workload.env.values()].some(value => value.every(part => typeof part === 'string'))
  const env = variablesOf(project, workload, notes)
  const limits = limitsOf(table['memory'], table['cpus'])
  const user = Number(String(table['user'] ?? '').split(':')[0] || Number.NaN)
  if (table['user'] !== undefined && Number.isNaN(user))
    notes.dropped(`services.${name}.user`, 'only a number of a user can be written: the image has its own user')
  if (table['shm_size'] !== undefined) notes.dropped(`services.${name}.shm_size`, '/dev/shm has the size of the engine')
  const container = {
    name,
    image: isOwn ? image : imageName(project.name, name),
    ...(isOwn ? {} : { imagePullPolicy: 'IfNotPresent' }),
    ...(program === undefined ? {} : { command: program.map(literal) }),
    ...(args === undefined ? {} : { args: args.map(literal) }),
    ...(workload.workdir === undefined ? {} : { workingDir: workload.workdir }),
    ...(ports.length === 0 ? {} : { ports: ports.map(each => ({ containerPort: each })) }),
    ...(hasConfig ? { envFrom: [{ configMapRef: { name: `${name}-env` } }] } : {}),
    ...(env.length === 0 ? {} : { env }),
    ...(check === undefined ? {} : { readinessProbe: probeOf(check, port) }),
    ...(limits === undefined ? {} : { resources: { limits } }),
    ...(Number.isNaN(user) ? {} : { securityContext: { runAsUser: user } }),
    ...(mounted.mounts.length === 0 ? {} : { volumeMounts: mounted.mounts }),
  }
  return { container, volumes: mounted.volumes, claims: mounted.claims }
}

/** Variables with a reference; `$(NAME)` reads one that comes before. */
function variablesOf({ name: project }: Project, { service, env }: Workload, notes: Notes): readonly Mapping[] {
  const isPlain = (value: Template) => value.every(part => typeof part === 'string')
  const composed = [...env].filter(([, value]) => !isPlain(value))
  const fromFiles = service.type === 'postgres' || service.type === 'site' ? [] : [...service.fromFiles.keys()]
  const referred = composed.flatMap(([, value]) =>
    value.flatMap(part => (typeof part === 'string' ? [] : part.variable)),
  )
  // What the table of the service sets is stronger than a file.
  const names = new Set([...fromFiles.filter(name => !env.has(name)), ...referred])
  const secrets = [...names].map(name => ({
    name,
    valueFrom: { secretKeyRef: { name: `${project}-secrets`, key: name } },
  }))
  const others = composed.flatMap(([name, value]) => {
    const [first] = value
    if (value.length === 1 && typeof first === 'object' && first.variable === name) return []
    if (!names.has(name)) return [{ name, value: value.map(partOf).join('') }]
    notes.dropped(`services.${service.name}.env.${name}`, 'a value with a reference to itself: write it in the Secret')
    return []
  })
  return [...secrets, ...others]
}

function partOf(part: Template[number]): string {
  return typeof part === 'string' ? literal(part) : `$(${part.variable})`
}

/** Keeps a text from the expansion of `$(NAME)`. */
function literal(text: string): string {
  return text.replaceAll('$(', '$$$$(')
}

function probeOf({ probe, command, interval, timeout }: Check, port: number | undefined): Mapping {
  const pace = {
    periodSeconds: Math.max(1, Math.ceil(interval ?? 2)),
    timeoutSeconds: Math.max(1, Math.ceil(timeout ?? 5)),
    failureThreshold: 3,
  }
  if (probe.type === 'http') return { httpGet: { path: probe.path, port }, ...pace }
  if (probe.type === 'tcp') return { tcpSocket: { port }, ...pace }
  return { exec: { command: ['sh', '-c', literal(command)] }, ...pace }
}

interface Mounted {
  readonly mounts: readonly Mapping[]
  readonly volumes: readonly Mapping[]
  readonly claims: readonly string[]
}

function mountsOf({ service, mounts: given }: Workload, notes: Notes): Mounted {
  const temporary = textsOf(service.table['tmpfs']).map((target): Mount => ({ target, isReadOnly: false }))
  const found = [...given, ...temporary].flatMap((mount, index) => {
    const { source } = mount
    if (source !== undefined && /^[./~]/.test(source)) {
      const key = service.type === 'container' ? 'volumes' : service.type === 'postgres' ? 'init' : 'path'
      notes.dropped(
        `services.${service.name}.${key}`,
        `a cluster has no folder ${source} of this machine: add it to an image`,
      )
      return []
    }
    const claim = source
      ?.toLowerCase()
      .replace(/[^a-z0-9]+/g, '-')
      .replace(/^-|-$/g, '')
    return [{ mount, name: claim ?? `temporary-${index}`, claim }]
  })
  const isDatabase = service.type === 'postgres'
  return {
    mounts: found.map(({ mount, name }) => ({
      name,
      mountPath: mount.target,
      ...(isDatabase ? { subPath: 'postgres' } : {}),
      ...(mount.isReadOnly ? { readOnly: true } : {}),
    })),
    // A stateful set makes volumes of its claims.
    volumes: isDatabase
      ? []
      : found.map(({ name, claim }) => ({
          name,
          ...(claim === undefined ? { emptyDir: {} } : { persistentVolumeClaim: { claimName: claim } }),
        })),
    claims: [...new Set(found.flatMap(({ claim }) => claim ?? []))],
  }
}

/** Writes limits in the units of Kubernetes: `512m` of memory is 512Mi. */
function limitsOf(memory: unknown, cpus: unknown): Mapping | undefined {
  const [, amount, unit = ''] = /^([\d.]+)([kmg]?)i?b?$/i.exec(String(memory ?? '')) ?? []
  const units: Readonly<Record<string, string>> = { k: 'Ki', m: 'Mi', g: 'Gi' }
  const limits = {
    ...(amount === undefined ? {} : { memory: `${amount}${units[unit.toLowerCase()] ?? ''}` }),
    ...(typeof cpus === 'number' ? { cpu: String(cpus) } : {}),
  }
  return Object.keys(limits).length === 0 ? undefined : limits
}
