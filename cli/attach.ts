import type { LocaldEvent, LogLine, ServiceView } from '../kernel/events.ts'
import type { TargetBody } from '../kernel/wire.ts'
import { type Client, find, type Stream } from './client.ts'
import type { Context } from './context.ts'
import { conclude, follow } from './follow.ts'
import type { Interrupt } from './interrupt.ts'
import { type Keys, listen } from './keys.ts'
import { formatFor } from './lines.ts'
import { say } from './output.ts'
import { isOver } from './services.ts'
import { Shown } from './shown.ts'

/** What is followed: what was started, when (UTC ISO 8601), and what runs of it. */
export interface Attached {
  readonly target: TargetBody
  readonly since: string
  readonly services: readonly ServiceView[]
  /** Hears Ctrl-C until the keys do. */
  readonly early: Interrupt
}

/**
 * Follows a project's logs until `d` (services run on), Ctrl-C (they are stopped; twice: at once), or until somebody else
 * stopped them.
 */
export async function attach(context: Context, daemon: Client, what: Attached): Promise<number> {
  const { target, since, services, early } = what
  const doing = 'following the logs'
  const query = { path: target.path, service: target.services, since, follow: true }
  const logs = daemon.stream<LogLine>({ method: 'GET', path: '/v1/logs', query, doing })
  const events = daemon.stream<LocaldEvent>({ method: 'GET', path: '/v1/events', doing })
  const keys = listen()
  early.close()
  if (early.isPressed) keys.stop()
  try {
    const shown = new Shown(
      await formatFor(
        services.map(view => view.key),
        false,
      ),
    )
    say(keys.isKeyboard ? 'Ctrl-C stops the project, d detaches' : 'Ctrl-C stops the project')
    const printing = printLogs(logs, shown)
    const rest = async () => {
      logs.close()
      await printing.catch(() => undefined)
      // One that is ending is not to be followed by another just for this.
      const still = await find(context.paths).catch(() => undefined)
      const names = services.map(view => view.key)
      if (still !== undefined) await shown.printRest(still, names, target.path, since)
    }
    const stop = () => stopProject(context, daemon, target)
    return await until(keys, { printing, over: untilOver(events, services), stop, rest })
  } finally {
    keys.close()
    logs.close()
    events.close()
  }
}

interface Watched {
  readonly printing: Promise<void>
  /** Resolves when nothing runs any more. */
  readonly over: Promise<void>
  stop(): Promise<number>
  /** Prints what was said until the end. */
  rest(): Promise<void>
}

async function until(keys: Keys, { printing, over, stop, rest }: Watched): Promise<number> {
  const end = await Promise.race([keys.pressed, printing, over])
  // From here on a stream that breaks is no news: what is awaited tells it.
  printing.catch(() => undefined)
  over.catch(() => undefined)
  if (end === 'detach') {
    say('Detached: locald logs -f follows again, locald stop stops')
    return 0
  }
  const code = end === 'stop' ? await stop() : 0
  await rest()
  if (end !== 'stop') say('Nothing of the project runs any more')
  return code
}

async function printLogs(logs: Stream<LogLine>, shown: Shown): Promise<void> {
  for await (const lines of logs.batches) await shown.print(lines)
}

/** Resolves when none of the services runs any more. */
async function untilOver(events: Stream<LocaldEvent>, services: readonly ServiceView[]): Promise<void> {
  const alive = new Set(services.filter(view => !isOver(view)).map(view => view.key))
  const keys = new Set(services.map(view => view.key))
  for await (const batch of events.batches) {
    for (const event of batch) {
      if (event.event === 'removed') alive.delete(event.key)
      if (event.event !== 'service' || !keys.has(event.service.key)) continue
      if (isOver(event.service)) alive.delete(event.service.key)
      else alive.add(event.service.key)
    }
    if (alive.size === 0) return
  }
}

async function stopProject(context: Context, daemon: Client, body: TargetBody): Promise<number> {
  say('Stopping; Ctrl-C again to leave at once')
  const doing = 'stopping the project'
  const stream = daemon.stream<LocaldEvent>({ method: 'POST', path: '/v1/projects/stop', body, doing })
  return conclude(context, await follow(context, stream, { doing }))
}
