import { uptime } from 'node:os'
import { messageOf } from './errors.ts'
import type { Instance, Log, Run } from './plugin.ts'
import type { Project } from './project.ts'
import type { Projects } from './projects.ts'
import { isHalfway, type ProjectRecord, type Records, type ServiceRecord } from './records.ts'
import type { Service } from './service.ts'

/** What the take-over works with. */
export interface AdoptInput {
  readonly projects: Projects
  readonly records: Records
  readonly log: Log
}

/** The start of the machine is known to about this: ms. */
const bootSlackMs = 5000

/**
 * Takes over what an earlier daemon left: its projects become known, their processes are found again, and what was meant to run and
 * does not is started. What ran before the machine's own start is gone: it is shown as stopped.
 */
export async function adoptAll({ projects, records, log }: AdoptInput): Promise<void> {
  const services = records.services()
  const known = records.projects()
  for (const { path, service } of services)
    if (!known.some(({ ref }) => ref.path === path)) records.dropService(path, service)
  const adopt = async (record: ProjectRecord) => {
    const own = services.filter(service => service.path === record.ref.path)
    await adoptProject(record, own, projects).catch(error =>
      log.error(`${record.ref.name} could not be taken over: ${messageOf(error)}`),
    )
  }
  await Promise.all(known.map(adopt))
}

async function adoptProject(
  record: ProjectRecord,
  services: readonly ServiceRecord[],
  projects: Projects,
): Promise<void> {
  const bootedMs = Date.now() - uptime() * 1000
  const current = services.filter(({ startedMs }) => startedMs === null || startedMs > bootedMs - bootSlackMs)
  const survived = services.length === 0 || current.length > 0
  const project = projects.add(record.ref, record.plan, record.shell)
  const ports = current.flatMap(({ service, port }) => (port === null ? [] : [[service, port] as const]))
  await project.recall(new Map(ports), survived ? record.wanted : [])
  await Promise.all(
    current.map(async service => {
      const known = project.service(service.service)
      if (known === undefined) return
      // One that cannot be adopted, as its plugin was removed, does not keep the others from it.
      await adoptService(project, known, service).catch(error =>
        known.state.set({ status: 'failed', health: null, reason: messageOf(error), pid: null }),
      )
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
  if (instance === undefined) {
    service.state.set({ status: 'failed', reason: 'it could not be taken over', startedMs, restarts })
    return
  }
  service.state.set({ restarts })
  service.supervisor.start(assignment, { instance, ready: record.ready })
  // Its daemon was killed while it was stopped: it goes on being stopped, and is not judged as one that has crashed.
  if (!project.wanted.has(record.service)) void service.supervisor.stop()
  else if (isHalfway(record)) {
    project.halfway.add(record.service)
    void service.supervisor.stop('restarting', record.reason)
  }
}
