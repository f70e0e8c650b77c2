import { stringify } from 'yaml'
import type { Template } from './environment.ts'
import { containerOf } from './kubernetes-container.ts'
import { cronScheduleOf } from './kubernetes-cron.ts'
import { ingressSpecOf } from './kubernetes-ingress.ts'
import type { Notes } from './notes.ts'
import type { Project } from './project.ts'
import { appFolder, imageName, secondsOf, type Workload } from './workload.ts'
import { workloadsOf } from './workloads.ts'

/** A part of a manifest; what is undefined is left out. */
type Mapping = Readonly<Record<string, unknown>>

/** The size of a volume, which locald does not limit. */
const volumeSize = '1Gi'

/** Writes a project as manifests for `kubectl apply`. https://kubernetes.io/docs/reference/kubernetes-api/ */
export async function toKubernetes(project: Project, notes: Notes): Promise<string> {
  const workloads = await workloadsOf(project, notes)
  const awaited = new Set(
    project.services.flatMap(({ dependsOn }) =>
      [...dependsOn].filter(([, condition]) => condition === 'completed').map(([name]) => name),
    ),
  )
  const manifests = [
    secretOf(project, workloads, notes),
    ...workloads.flatMap(workload => manifestsOf(project, workload, awaited.has(workload.service.name), notes)),
    ingressOf(project, workloads, notes),
  ]
  const texts = manifests
    .filter(each => each !== undefined)
    .map(each => stringify(each, { lineWidth: 0, version: '1.1' }))
  return `# Made from ${project.name} by \`locald export kubernetes\`. Fill in the Secret.\n${texts.join('---\n')}`
}

function ingressOf(project: Project, workloads: readonly Workload[], notes: Notes): Mapping | undefined {
  const spec = ingressSpecOf(project, workloads, notes)
  return spec === undefined
    ? undefined
    : { ...headOf('networking.k8s.io/v1', 'Ingress', project.name, project.name), spec }
}

/** The variables that the environments refer to, and the names in the files of variables; never a value of these. */
function secretOf({ name }: Project, workloads: readonly Workload[], notes: Notes): Mapping | undefined {
  const data = new Map<string, string>()
  for (const { service, env, kind } of workloads) {
    if (service.type !== 'postgres' && service.type !== 'site')
      for (const variable of service.fromFiles.keys()) data.set(variable, '')
    for (const { variable, fallback } of [...env.values()].flat().filter(part => typeof part !== 'string'))
      if (!data.has(variable)) data.set(variable, literalOf(fallback))
    if (kind === 'build')
      notes.changed(`services.${service.name}`, `build the image ${imageName(name, service.name)} yourself`)
    if (kind === 'source')
      notes.changed(
        `services.${service.name}.command`,
        `build the image ${imageName(name, service.name)}, with the files in ${appFolder}, yourself`,
      )
  }
  if (data.size === 0) return undefined
  return { ...headOf('v1', 'Secret', `${name}-secrets`, name), stringData: Object.fromEntries(data) }
}

function literalOf(template: Template): string {
  return template.map(part => (typeof part === 'string' ? part : literalOf(part.fallback))).join('')
}

function manifestsOf(
  project: Project,
  workload: Workload,
  isAwaited: boolean,
  notes: Notes,
): readonly (Mapping | undefined)[] {
  const { service, env, port, morePorts = [] } = workload
  const { name, table, dependsOn } = service
  const plain = [...env].filter(([, value]) => value.every(part => typeof part === 'string'))
  if (dependsOn.size > 0)
    notes.dropped(`services.${name}.depends_on`, 'pods start in any order: a service must try until the others answer')
  if (table['stop_signal'] !== undefined && table['stop_signal'] !== 'SIGTERM')
    notes.dropped(`services.${name}.stop_signal`, 'pods get SIGTERM, or the signal of the image')
  const ports = [...(port === undefined ? [] : [port]), ...morePorts]
  const config =
    plain.length === 0
      ? undefined
      : {
          ...headOf('v1', 'ConfigMap', `${name}-env`, project.name),
          data: Object.fromEntries(plain.map(([variable, value]) => [variable, literalOf(value)])),
        }
  const { container, volumes, claims } = containerOf(project, workload, notes)
  const isCron = service.type === 'cron'
  const schedule = isCron ? cronScheduleOf(name, table, notes) : undefined
  if (isCron && schedule === undefined) return []
  const isJob = isCron || table['restart'] === 'no' || isAwaited
  const pod = {
    metadata: { labels: labelsOf(project.name, name) },
    spec: {
      ...(isJob ? { restartPolicy: isCron || table['restart'] === 'no' ? 'Never' : 'OnFailure' } : {}),
      // Else each service adds variables such as API_PORT, which are no ports.
      enableServiceLinks: false,
      terminationGracePeriodSeconds: Math.ceil(secondsOf(table['stop_timeout']) ?? 5),
      containers: [container],
      ...(volumes.length === 0 ? {} : { volumes }),
    },
  }
  const runner = isCron
    ? {
        ...headOf('batch/v1', 'CronJob', name, project.name),
        // One run at a time, and no second try: as locald runs it.
        spec: { schedule, concurrencyPolicy: 'Forbid', jobTemplate: { spec: { backoffLimit: 0, template: pod } } },
      }
    : isJob
      ? { ...headOf('batch/v1', 'Job', name, project.name), spec: { template: pod } }
      : runnerOf(project, workload, pod, claims)
  const separate = service.type === 'postgres' && !isJob ? [] : claims
  const exposed =
    ports.length === 0
      ? undefined
      : {
          ...headOf('v1', 'Service', name, project.name),
          spec: {
            selector: labelsOf(project.name, name),
            ports: ports.map(each => ({ name: `port-${each}`, port: each, targetPort: each })),
          },
        }
  const own = separate.map(claim => ({
    ...headOf('v1', 'PersistentVolumeClaim', claim, project.name),
    spec: claimSpec(),
  }))
  return [config, ...own, runner, exposed]
}

function runnerOf({ name }: Project, { service }: Workload, template: Mapping, claims: readonly string[]): Mapping {
  const selector = { matchLabels: labelsOf(name, service.name) }
  const common = { replicas: 1, selector, template }
  if (service.type !== 'postgres') return { ...headOf('apps/v1', 'Deployment', service.name, name), spec: common }
  const volumeClaimTemplates = claims.map(claim => ({ metadata: { name: claim }, spec: claimSpec() }))
  return {
    ...headOf('apps/v1', 'StatefulSet', service.name, name),
    spec: { ...common, serviceName: service.name, volumeClaimTemplates },
  }
}

function claimSpec(): Mapping {
  return { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: volumeSize } } }
}

function headOf(apiVersion: string, kind: string, name: string, project: string): Mapping {
  return { apiVersion, kind, metadata: { name, labels: { 'app.kubernetes.io/part-of': project } } }
}

function labelsOf(project: string, name: string): Mapping {
  return { 'app.kubernetes.io/part-of': project, 'app.kubernetes.io/name': name }
}
