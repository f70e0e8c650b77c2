import type { LocaldEvent } from '../../kernel/events.ts'
import type { TargetBody } from '../../kernel/protocol.ts'
import type { Context } from '../context.ts'
import { findOrReviveDaemon } from '../daemon/client.ts'
import { followOperation, reportOutcome } from '../follow/operation.ts'
import { namerFor } from '../output/service-state.ts'
import { print, printJson, printStderr } from '../output/terminal.ts'

/** `locald stop`. Starts no daemon, unless services of a killed one may be running. */
export async function stop(context: Context): Promise<number> {
  const { positionals, flags } = context.args
  const daemon = await findOrReviveDaemon(context.paths)
  if (daemon === undefined) {
    if (context.json) printJson({ event: 'done', ok: true, services: [] })
    else print('Nothing is running')
    return 0
  }
  const body: TargetBody = {
    path: context.cwd,
    ...(positionals.length === 0 ? {} : { services: positionals }),
    ...(flags.has('all') ? { all: true } : {}),
  }
  const doing = 'stopping services'
  const nameOf = namerFor(context.args)
  const stopped = new Set<string>()
  const notices: string[] = []
  const seen = (event: LocaldEvent) => {
    if (event.event === 'service' && event.service.status === 'stopping') stopped.add(nameOf(event.service.key))
    if (event.event === 'notice') notices.push(event.message)
  }
  const stream = daemon.stream<LocaldEvent>({ method: 'POST', path: '/v1/projects/stop', body, doing })
  const done = await followOperation(context, stream, { doing, onEvent: seen })
  if (done.ok && !context.json) print(stopped.size === 0 ? 'Nothing was running' : `Stopped ${[...stopped].join(', ')}`)
  if (!context.json) for (const notice of notices) printStderr(notice)
  return reportOutcome(context, done)
}
