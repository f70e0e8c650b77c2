import { exitCodeOf, LocaldError } from '../../kernel/errors.ts'
import type { LocaldEvent } from '../../kernel/events.ts'
import type { Context } from '../context.ts'
import type { Stream } from '../daemon/client.ts'
import { endedWhile } from '../daemon/http.ts'
import { explain } from '../output/errors.ts'
import { clean } from '../output/log-format.ts'
import { progressOn } from '../output/progress.ts'
import { jsonOf } from '../output/sanitize.ts'
import { type Namer, namerFor, stateOf } from '../output/service-words.ts'
import { printAll, say } from '../output/terminal.ts'

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
  const { words, json } = context
  const progress = json ? undefined : await progressOn(process.stderr, words.flags.has('verbose'), namerFor(words))
  try {
    for await (const events of stream.batches) {
      if (context.json) await printAll(events.map(event => `${jsonOf(event)}\n`).join(''))
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
  throw endedWhile(following.doing)
}

/** An operation's outcome: what failed, with each one's last lines, is told; the result is the exit code. */
export function conclude(context: Context, done: Done): number {
  if (done.ok) return 0
  const nameOf = namerFor(context.words)
  const error = errorOf(done, nameOf)
  if (!context.json) say([...tailsOf(done, nameOf), explain(error)].join('\n'))
  return exitCodeOf(error.code)
}

function errorOf(done: Done, nameOf: Namer): LocaldError {
  if (done.error !== undefined) return LocaldError.fromJSON(done.error)
  const names = (state: string) => done.services.filter(view => stateOf(view) === state).map(view => nameOf(view.key))
  const [late, failed] = [names('unhealthy'), names('failed')]
  const [first] = [...late, ...failed]
  if (first === undefined) {
    return new LocaldError('SERVICE_FAILED', 'not every service is ready', { hint: '`locald status` shows them.' })
  }
  const parts = [
    late.length === 0 ? '' : `not ready: ${late.join(', ')}`,
    failed.length === 0 ? '' : `failed: ${failed.join(', ')}`,
  ]
  return new LocaldError('SERVICE_FAILED', parts.filter(part => part !== '').join('; '), {
    hint: `\`locald why ${first}\` and \`locald logs ${first}\` tell more.`,
  })
}

/** Each service that failed or is not ready: why, and its last lines. */
function tailsOf(done: Done, nameOf: Namer): readonly string[] {
  const failed = done.services.filter(
    view => ['failed', 'unhealthy'].includes(stateOf(view)) || done.tails?.[view.key] !== undefined,
  )
  return failed.flatMap(view => [
    `${nameOf(view.key)} ${stateOf(view)}${view.reason === null ? '' : `: ${view.reason}`}`,
    ...(done.tails?.[view.key] ?? []).map(line => `  | ${clean(line, false)}`),
  ])
}
