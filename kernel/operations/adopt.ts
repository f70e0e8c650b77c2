import type { Log, Processes, ServicePlan } from '../contract/plugin.ts'
import { LocaldError, messageOf } from '../errors.ts'
import type { Project } from '../projects/project.ts'
import type { Projects } from '../projects/projects.ts'
import { leaseName } from '../registry/ports.ts'
import type { Registry } from '../registry/registry.ts'
import { ownEnvironment } from '../services/environment/shell.ts'
import { reattach } from '../services/reattach.ts'
import { type ProjectRecord, recordId, type ServiceRecord, wasRestarting } from '../services/records/record.ts'
import type { Records } from '../services/records/records.ts'
import { bootIn, stateIn, type UnreadRecord } from '../services/records/unread-records.ts'
import type { Service } from '../services/service.ts'
import type { StartPlan } from '../services/start-plan.ts'
import { failureText } from '../services/supervisor.ts'

/** What adoption needs. */
export interface AdoptInput {
  readonly projects: Projects
  readonly records: Records
  readonly registry: Pick<Registry, 'restore' | 'identify'>
  /** Holds services of any type. */
  readonly processes: Processes | undefined
  readonly log: Log
}

/** The records since the machine started; of earlier projects nothing is meant to run. */
interface CurrentRecords {
  readonly services: readonly ServiceRecord[]
  readonly projects: readonly ProjectRecord[]
  /** Folders of projects whose own record is missing. */
  readonly lost: readonly string[]
}

/**
 * Adopts the projects of an earlier daemon and reattaches to their processes. What ran before the machine's last start,
 * which no clock decides, is shown as stopped. Returns the states of processes that could not be adopted, as records of
 * another version cannot be read: they must not be stopped.
 */
export async function adoptAll(input: AdoptInput): Promise<readonly unknown[]> {
  const { records, log } = input
  const found = readCurrent(records)
  const left: unknown[] = []
  const adopt = async (path: string, what: string, record: () => Promise<ProjectRecord>) => {
    const own = found.services.filter(service => service.path === path)
    try {
      const project = await record()
      const damaged = findDamaged(project, records)
      await adoptProject(project, [...own, ...damaged.services], input)
      // Services whose process they do not name are started again.
      for (const each of damaged.records) records.unread.remove(each)
    } catch (error) {
      left.push(...own.map(({ state }) => state))
      log.error(`${what} could not be adopted: ${messageOf(error)}`)
    }
  }
  await Promise.all([
    ...found.projects.map(record => adopt(record.ref.path, record.ref.name, async () => record)),
    ...found.lost.map(path => adopt(path, `the services in ${path}`, () => rebuildRecord(path, found, input))),
  ])
  return [...left, ...records.unread.list().map(({ text }) => text)]
}

function readCurrent(records: Records): CurrentRecords {
  const isCurrent = ({ boot }: { readonly boot?: string }) => records.isCurrent(boot)
  const services = records.services()
  const projects = records.projects().map(record => (isCurrent(record) ? record : { ...record, wanted: [] }))
  const known = new Set(projects.map(({ ref }) => ref.path))
  // Stopped services of a forgotten project are dropped.
  const isKept = (record: ServiceRecord) => isCurrent(record) && (record.state !== null || known.has(record.path))
  for (const record of services) if (!isKept(record)) records.dropService(record.path, record.service)
  const kept = services.filter(isKept)
  // Read last: it includes the records that could not be read above.
  for (const record of records.unread.list()) if (!records.isCurrent(bootIn(record))) records.unread.remove(record)
  const lost = kept.map(({ path }) => path).filter(path => !known.has(path))
  return { services: kept, projects, lost: [...new Set(lost)] }
}

/** Rebuilds the record of a project of which only services' records are left: those that run are meant to run. */
async function rebuildRecord(path: string, { services }: CurrentRecords, { projects, records, registry }: AdoptInput) {
  const { plan } = await projects.plan(path, [])
  if (plan.path !== path) throw new Error(`the folder now belongs to the project in ${plan.path}`)
  const names = plan.services.map(({ name }) => name)
  const ref = registry.identify({ name: plan.name, path, domain: plan.domain }, names)
  const running = services.filter(record => record.path === path && record.state !== null)
  const damaged = new Set(records.unread.list().map(({ id }) => id))
  const isMeant = (name: string) => running.some(({ service }) => service === name) || damaged.has(recordId(path, name))
  const record: ProjectRecord = { version: 1, ref, plan, shell: ownEnvironment(), wanted: names.filter(isMeant) }
  records.saveProject(record)
  return record
}

/** Returns the damaged records of a project, and what they still say about its services. */
function findDamaged(
  { ref: { path }, plan }: ProjectRecord,
  { unread }: Records,
): { readonly records: readonly UnreadRecord[]; readonly services: readonly ServiceRecord[] } {
  const names = new Map(plan.services.map(({ name }) => [recordId(path, name), name]))
  const records = unread.list().filter(({ id }) => names.has(id) || id === recordId(path))
  const services = records.flatMap((record): readonly ServiceRecord[] => {
    const [service, state] = [names.get(record.id), stateIn(record)]
    if (service === undefined || state === undefined) return []
    const unknown = { reason: null, startedMs: null, restarts: 0, port: null, fingerprint: '', env: {}, dir: path }
    return [{ version: 1, path, service, state, ready: false, status: 'running', ...unknown }]
  })
  return { records, services }
}

async function adoptProject(
  { ref, plan, shell, wanted }: ProjectRecord,
  services: readonly ServiceRecord[],
  { projects, registry, processes }: AdoptInput,
): Promise<void> {
  const ports = new Map(services.flatMap(leasesOf))
  const isAssigned = (name: string) => plan.services.find(service => service.name === name)?.common.port === undefined
  registry.restore(ref, plan, Object.fromEntries([...ports].filter(([name]) => isAssigned(name))))
  const project = projects.add(ref, plan, shell)
  await project.restore(ports, wanted)
  await Promise.all(
    services.map(async service => {
      const known = project.service(service.service)
      if (known === undefined) return
      // The others are still adopted. Its leftover processes are stopped before it is started again.
      await adoptService(project, known, service, processes).catch(error => {
        known.state.set({ status: 'failed', health: null, reason: failureText(LocaldError.from(error)), pid: null })
      })
    }),
  )
}

/** Returns the ports of a record by the names of their leases. */
function leasesOf({ service, port, ports = {} }: ServiceRecord): readonly (readonly [string, number])[] {
  const further = Object.entries(ports).map(([inside, leased]) => [leaseName(service, Number(inside)), leased] as const)
  return port === null ? further : [[service, port], ...further]
}

/** Puts a service under its supervisor again, or into its last state. */
async function adoptService(
  project: Project,
  service: Service,
  record: ServiceRecord,
  processes: Processes | undefined,
): Promise<void> {
  const plan = project.planOf(record.service)
  if (plan === undefined) return
  const start = await planOfRecord(project, service, plan, record)
  if (record.fingerprint !== '') service.restore(start, record.address)
  const { status, reason, startedMs, restarts } = record
  service.isKept = record.isKept ?? false
  const isOver = record.state === null
  if (isOver) {
    const { launched = startedMs !== null, asleepMs = null } = record
    service.state.set({ status, reason, startedMs, restarts, launched, asleepMs })
    return
  }
  const driver = project.driverOf(plan)
  // Services of this type do not outlive their daemon: leftover processes are stopped, and it is started again.
  if (!LocaldError.is(driver) && driver.adopt === undefined) return
  const run = service.run({ ...start, env: record.env, dir: record.dir }, new AbortController().signal)
  const found = await reattach(driver, run, record.state, processes)
  if (found === undefined && wasRestarting(record)) return
  const { asleepMs } = record
  if (found === undefined && asleepMs !== undefined) {
    service.state.set({ status: 'stopped', health: null, reason, startedMs, restarts, asleepMs })
    service.persist(null)
    return
  }
  if (found === undefined) throw new Error('could not be reattached after the daemon restart')
  const { instance, problem } = found
  service.state.set({ restarts, asleepMs: asleepMs ?? null })
  service.foundPort = record.foundPort
  service.supervisor.start(start, { instance, ready: record.ready })
  if (problem !== undefined) {
    service.state.note('type', `${problem.message}; the process keeps running until it is stopped`)
    void instance.exited.then(() => service.state.note('type', undefined))
  }
  // Its daemon was killed while it stopped the service: the stop continues, and does not count as a crash.
  if (!project.wanted.has(record.service)) void service.supervisor.stop()
  else if (asleepMs !== undefined) void service.supervisor.stop('stopping', reason)
  else if (wasRestarting(record)) {
    project.restarting.add(record.service)
    void service.supervisor.stop('restarting', record.reason)
  }
}

/**
 * Returns what a service was started with. A damaged record does not say it: it is resolved again, as far as possible.
 */
async function planOfRecord(
  project: Project,
  service: Service,
  plan: ServicePlan,
  { env, fingerprint, dir, hostPorts = [] }: ServiceRecord,
): Promise<StartPlan> {
  const outline = project.outline(service, plan)
  if (fingerprint !== '') return { ...outline, env, fingerprint, dir, hostPorts }
  return await project.prepare(plan.name).catch(() => outline)
}
