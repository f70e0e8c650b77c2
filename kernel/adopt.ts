import { messageOf } from './errors.ts'
import type { Instance, Log, Run } from './plugin.ts'
import type { Project } from './project.ts'
import type { Projects } from './projects.ts'
import { isHalfway, type ProjectRecord, type Records, type ServiceRecord } from './records.ts'
import type { Registry } from './registry.ts'
import type { Service } from './service.ts'

/** What the take-over works with. */
export interface AdoptInput {
  readonly projects: Projects
  readonly records: Records
  readonly registry: Pick<Registry, 'restore'>
  /** Tells one start of the machine from another; undefined: that is not known. */
  readonly boot: string | undefined
  readonly log: Log
}

/**
 * Adopts what an earlier daemon left: its projects become known, their processes are found again, and what was meant to run and does not
 * is started. What ran before the machine's own start, which no clock decides, is shown as stopped. Returns what tells of processes that
 * could not be adopted, as records of another version cannot be read: they are to be left alone.
 */
export async function adoptAll(input: AdoptInput): Promise<readonly unknown[]> {
  const { records, log } = input
  const isCurrent = records.isOfBoot(input.boot)
  const services = records.services()
  const known = records.projects()
  const unread = records.unread()
  const left: unknown[] = [...unread]
  for (const record of services) {
    if (known.some(({ ref }) => ref.path === record.path)) continue
    if (isCurrent && unread.length > 0) left.push(record.state)
    else records.dropService(record.path, record.service)
  }
  const adopt = async (record: ProjectRecord) => {
    const own = isCurrent ? services.filter(service => service.path === record.ref.path) : []
    await adoptProject({ ...record, wanted: isCurrent ? record.wanted : [] }, own, input, left).catch(error => {
      left.push(...own.map(({ state }) => state))
      log.error(`${record.ref.name} could not be adopted: ${messageOf(error)}`)
    })
  }
  await Promise.all(known.map(adopt))
  return left
}

async function adoptProject(
  record: ProjectRecord,
  services: readonly ServiceRecord[],
  { projects, registry }: AdoptInput,
  left: unknown[],
): Promise<void> {
  const { ref, plan, shell, wanted } = record
  const ports = new Map(services.flatMap(({ service, port }) => (port === null ? [] : [[service, port] as const])))
  const isAssigned = (name: string) => plan.services.find(service => service.name === name)?.common.port === undefined
  registry.restore(ref, plan, Object.fromEntries([...ports].filter(([name]) => isAssigned(name))))
  const project = projects.add(ref, plan, shell)
  await project.recall(ports, wanted)
  await Promise.all(
    services.map(async service => {
      const known = project.service(service.service)
      if (known === undefined) return
      // One that cannot be adopted, as its plugin was removed, does not keep the others from it.
      await adoptService(project, known, service).catch(error => {
        left.push(service.state)
        known.state.set({ status: 'failed', health: null, reason: messageOf(error), pid: null })
      })
    }),
  )
}

/** Ends with the service under its supervisor again, or in the state it had ended in. */
async function adoptService(project: Project, service: Service, record: ServiceRecord): Promise<void> {
  const plan = project.planOf(record.service)
  if (plan === undefined) return
  service.recall({ env: record.env, fingerprint: record.fingerprint }, record.dir, record.address)
  const { status, reason, startedMs, restarts } = record
  const isOver = record.state === null
  if (isOver) {
    service.state.set({ status, reason, startedMs, restarts, launched: record.launched ?? startedMs !== null })
    return
  }
  const assignment = project.assignment(plan)
  const run: Run<unknown> = { ...service.outline(assignment), env: record.env, dir: record.dir }
  const instance: Instance | undefined = await assignment.driver.adopt?.(run, record.state)
  if (instance === undefined && isHalfway(record)) return
  if (instance === undefined) throw new Error('could not be reattached after the daemon restart')
  service.state.set({ restarts })
  service.supervisor.start(assignment, { instance, ready: record.ready })
  // Its daemon was killed while it was stopped: it goes on being stopped, and is not judged as one that has crashed.
  if (!project.wanted.has(record.service)) void service.supervisor.stop()
  else if (isHalfway(record)) {
    project.halfway.add(record.service)
    void service.supervisor.stop('restarting', record.reason)
  }
}
