import { LocaldError } from '../kernel/errors.ts'
import type { LocaldEvent } from '../kernel/events.ts'
import type { Stream } from './client.ts'
import type { Context } from './context.ts'
import { printAll } from './output.ts'
import { progressOn } from './progress.ts'

/** The last event of an operation. */
export type Done = Extract<LocaldEvent, { event: 'done' }>

/** How to follow: what is being done, and who else wants the events. */
export interface Following {
  readonly doing: string
  readonly seen?: (event: LocaldEvent) => void
}

/**
 * Shows an operation's events until the last: progress on stderr, or with `--json` each as a line on stdout. Throws
 * DAEMON_UNREACHABLE when the stream ends before `done`.
 */
export async function follow(context: Context, stream: Stream<LocaldEvent>, following: Following): Promise<Done> {
  const progress = context.json ? undefined : await progressOn(process.stderr, context.words.flags.has('verbose'))
  try {
    for await (const events of stream.batches) {
      if (context.json) await printAll(events.map(event => `${JSON.stringify(event)}\n`).join(''))
      for (const event of events) {
        progress?.show(event)
        following.seen?.(event)
        if (event.event === 'done') return event
      }
    }
  } finally {
    progress?.end()
    stream.close()
  }
  throw new LocaldError('DAEMON_UNREACHABLE', `the daemon ended while ${following.doing}`, {
    hint: 'services keep running; locald status starts a new daemon that takes them over',
  })
}

/** The error of an operation that failed. */
export function errorOf(done: Done): LocaldError {
  if (done.error !== undefined) return LocaldError.fromJSON(done.error)
  const failed = done.services.filter(view => view.status === 'failed').map(view => view.name)
  const [first] = failed
  const what = first === undefined ? 'not every service is ready' : `failed: ${failed.join(', ')}`
  return new LocaldError('SERVICE_FAILED', what, {
    hint: first === undefined ? 'locald status shows them' : `locald logs ${first}, locald why ${first}`,
  })
}
