import type { Notes } from './notes.ts'
import type { Project } from './project.ts'
import type { Workload } from './workload.ts'

type Mapping = Readonly<Record<string, unknown>>

/** Ports of databases, queues and mail, which speak no HTTP. */
const otherPorts = [25, 1025, 1433, 3306, 4222, 5432, 5672, 6379, 9092, 11_211, 27_017]

/**
 * Returns the rules of an Ingress, by which the services with names are reached: the names of locald. Undefined where
 * no service has one. https://kubernetes.io/docs/concepts/services-networking/ingress/
 */
export function ingressSpecOf(project: Project, workloads: readonly Workload[], notes: Notes): Mapping | undefined {
  const named = workloads.filter(
    ({ service, port }) =>
      ['exec', 'site', 'container'].includes(service.type) && port !== undefined && !otherPorts.includes(port),
  )
  if (named.length === 0) return undefined
  const nameIs = (name: string) => named.find(({ service }) => service.name === name)
  const main = nameIs('web') ?? nameIs(project.name) ?? (named.length === 1 ? named[0] : undefined)
  notes.changed('project.name', 'the Ingress has the names of locald: replace them by those of the cluster')
  const rules = named.map(workload => ({
    host: workload === main ? project.domain : `${workload.service.name}.${project.domain}`,
    http: {
      paths: [
        {
          path: '/',
          pathType: 'Prefix',
          backend: { service: { name: workload.service.name, port: { number: workload.port } } },
        },
      ],
    },
  }))
  return { rules }
}
