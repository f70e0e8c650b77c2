import { LocaldError } from '../../kernel/errors.ts'
import type { LocaldEvent } from '../../kernel/events.ts'
import type { DiskAnswer, DiskEntry, RegistryAnswer, StatusAnswer, TargetBody } from '../../kernel/protocol.ts'
import type { Context } from '../context.ts'
import { type Client, requireDaemon } from '../daemon/client.ts'
import { reportRemoved } from '../edit/report.ts'
import { type DoneEvent, followOperation, reportOutcome } from '../follow/operation.ts'
import { isActive } from '../output/service-state.ts'

/** `locald service remove`: removes a service from locald.toml, stops it, and keeps its data. */
export async function serviceRemove(context: Context): Promise<number> {
  const { args, paths } = context
  const [name] = args.positionals
  if (name === undefined) throw new LocaldError('USAGE', 'locald service remove SERVICE')
  const { EditedProject } = await import('../edit/index.ts')
  const daemon = await requireDaemon(paths)
  const project = await EditedProject.open(context, daemon)
  const { removed, write } = await project.removal(name)
  const isDry = args.flags.has('dry-run')
  const { services } = await daemon.get<StatusAnswer>('/v1/services', { path: project.folder })
  const view = services.find(each => each.name === name)
  const isRunning = view !== undefined && isActive(view)
  // Stopped before the file is written: afterwards the project has no service of this name.
  const done =
    isRunning && !isDry ? await stopOne(context, daemon, { path: project.folder, services: [name] }) : undefined
  if (done?.ok === false) return reportOutcome(context, done)
  if (!isDry) write()
  const kept = await findData(daemon, project.folder, name)
  reportRemoved(context, name, { ...removed, isDry, isRunning, kept })
  return 0
}

async function stopOne(context: Context, daemon: Client, body: TargetBody): Promise<DoneEvent> {
  const doing = 'stopping the service'
  const stream = daemon.stream<LocaldEvent>({ method: 'POST', path: '/v1/projects/stop', body, doing })
  // With `--json`, the one object is what was removed.
  return await followOperation({ ...context, json: false }, stream, { doing })
}

/** Returns what stays on disk of a service, without its logs. */
async function findData(daemon: Client, folder: string, service: string): Promise<readonly DiskEntry[]> {
  const { projects } = await daemon.get<RegistryAnswer>('/v1/registry')
  const project = projects.find(({ path }) => path === folder)?.name
  if (project === undefined) return []
  const { entries } = await daemon.get<DiskAnswer>('/v1/disk')
  return entries.filter(each => each.kind !== 'logs' && each.project === project && each.service === service)
}
