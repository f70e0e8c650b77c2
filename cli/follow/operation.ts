import { exitCodeOf, LocaldError } from '../../kernel/errors.ts'
import type { LocaldEvent } from '../../kernel/events.ts'
import type { Context } from '../context.ts'
import type { Stream } from '../daemon/client.ts'
import { connectionLost } from '../daemon/http.ts'
import { formatError } from '../output/errors.ts'
import { sanitizeLogText } from '../output/log-format.ts'
import { progressOn } from '../output/progress.ts'
import { toSafeJson } from '../output/sanitize.ts'
import { type Namer, namerFor, namerOf, stateOf } from '../output/service-state.ts'
import { printAll, printStderr } from '../output/terminal.ts'

/** The last event of an operation. */
export type DoneEvent = Extract<LocaldEvent, { event: 'done' }>

/** What the operation is, and what else to call with its events. */
export interface FollowOptions {
  readonly doing: string
  readonly onEvent?: (event: LocaldEvent) => void
}

/**
 * Shows an operation's events until the last: progress on stderr, or with `--json` each as a line on stdout. Throws
 * DAEMON_UNREACHABLE when the stream closes before `done`.
 */
export async function followOperation(
  context: Context,
  stream: Stream<LocaldEvent>,
  following: FollowOptions,
): Promise<DoneEvent> {
  const { args, json } = context
  const progress = json ? undefined : progressOn(process.stderr, args.flags.has('verbose'), namerFor(args))
  try {
    for await (const events of stream.batches) {
      if (context.json) await printAll(events.map(event => `${toSafeJson(event)}\n`).join(''))
      for (const event of events) {
        progress?.show(event)
        following.onEvent?.(event)
        if (event.event === 'done') return event
      }
    }
  } finally {
    progress?.end()
    stream.close()
  }
  throw connectionLost(following.doing)
}

/** What is printed of services that failed, besides their last lines, by their keys. */
export type MoreLines = ReadonlyMap<string, readonly string[]>

/**
 * Prints what failed, with the last lines of each service; the result is the exit code. @param isScratch it is forgotten
 * now, so that no command can show more
 */
export function reportOutcome(
  context: Context,
  done: DoneEvent,
  more: MoreLines = new Map(),
  isScratch = false,
): number {
  if (done.ok) return 0
  const nameOf = namerOf(context.args, done.services)
  const found = errorOf(done, nameOf)
  const error = isScratch && done.error === undefined ? new LocaldError(found.code, found.message) : found
  if (!context.json) printStderr([...formatTails(done, nameOf, more), formatError(error)].join('\n'))
  return exitCodeOf(error.code)
}

function errorOf(done: DoneEvent, nameOf: Namer): LocaldError {
  if (done.error !== undefined) return LocaldError.fromJSON(done.error)
  const names = (state: string) => done.services.filter(view => stateOf(view) === state).map(view => nameOf(view.key))
  const [unready, failed] = [names('unhealthy'), names('failed')]
  // A service that is not ready may be why others failed.
  const [first] = [...unready, ...failed]
  if (first === undefined) {
    return new LocaldError('SERVICE_FAILED', 'some services are not ready', { hint: 'Run `locald status`.' })
  }
  const parts = [formatNames(unready, 'not ready'), formatNames(failed, 'failed')]
  return new LocaldError('SERVICE_FAILED', parts.filter(part => part !== '').join('; '), {
    hint: `Run \`locald why ${first}\` or \`locald logs ${first}\` for details.`,
  })
}

/** Returns `service 'web' failed`, `services 'web', 'db' failed`, or nothing. */
function formatNames(names: readonly string[], what: string): string {
  const quoted = names.map(name => `'${name}'`).join(', ')
  if (names.length === 0) return ''
  const verb = what === 'failed' ? what : `${names.length === 1 ? 'is' : 'are'} ${what}`
  return `${names.length === 1 ? 'service' : 'services'} ${quoted} ${verb}`
}

/** Formats the reason and the last lines of each service that failed or is not ready. */
function formatTails(done: DoneEvent, nameOf: Namer, more: MoreLines): readonly string[] {
  const failed = done.services.filter(
    view => ['failed', 'unhealthy'].includes(stateOf(view)) || done.tails?.[view.key] !== undefined,
  )
  return failed.flatMap(view => [
    `${nameOf(view.key)} ${stateOf(view)}${view.reason === null ? '' : `: ${view.reason}`}`,
    ...(done.tails?.[view.key] ?? []).map(line => `  | ${sanitizeLogText(line, false)}`),
    ...(more.get(view.key) ?? []).map(line => `  ${line}`),
  ])
}
