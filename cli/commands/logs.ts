import { LocaldError, messageOf } from '../../kernel/errors.ts'
import type { LogLine } from '../../kernel/events.ts'
import { LogPosition } from '../../kernel/logs/log-position.ts'
import type { KeysAnswer, KeysQuery } from '../../kernel/protocol.ts'
import { flagValue } from '../args/parse.ts'
import { parseCount, parseMoment } from '../args/values.ts'
import type { Context } from '../context.ts'
import { type Client, type Query, requireDaemon, type Stream } from '../daemon/client.ts'
import { PartialLines } from '../follow/partial-lines.ts'
import { StreamFollower } from '../follow/stream.ts'
import { formatFor, formatTime } from '../output/log-format.ts'
import { toSafeJson } from '../output/sanitize.ts'
import { printAll } from '../output/terminal.ts'

/** Lines printed of each service without `-n` and `--since`: one that prints much does not hide the others. */
const defaultTail = 100

/** `locald logs`. */
export async function logs(context: Context): Promise<number> {
  const { args } = context
  const from = flagValue(args, 'since')
  const until = flagValue(args, 'until')
  const tail = flagValue(args, 'tail')
  const each = tail === undefined && from === undefined
  const query = {
    path: context.cwd,
    service: args.positionals,
    all: args.flags.has('all'),
    tail: tail !== undefined ? parseCount('-n', tail) : each ? defaultTail : undefined,
    each,
    since: from === undefined ? undefined : parseMoment('--since', from, Date.now()),
    until: until === undefined ? undefined : parseMoment('--until', until, Date.now()),
    grep: checkPattern(flagValue(args, 'grep')),
    ignoreCase: args.flags.has('ignore-case'),
    follow: args.flags.has('follow'),
    partial: args.flags.has('follow') && !context.json,
  }
  checkFlags(query)
  const daemon = await requireDaemon(context.paths)
  const text = context.json ? toSafeJson : await makeFormatter(daemon, query, args.flags.has('timestamps'))
  const partial = new PartialLines()
  const print = (lines: readonly LogLine[]) =>
    printAll(
      partial
        .rest(lines)
        .map(line => `${text(line)}\n`)
        .join(''),
    )
  if (query.follow) return await followLogs(context, daemon, query, print)
  for await (const lines of openStream(daemon, query).batches) await print(lines)
  return 0
}

/** Follows, and continues with the next daemon when one exits, without a line twice or missing. */
async function followLogs(
  { paths }: Context,
  first: Client,
  query: Query,
  print: (lines: readonly LogLine[]) => Promise<void>,
): Promise<number> {
  const { tail, each, ...rest } = query
  const position = new LogPosition(new Date().toISOString())
  let isFirst = true
  const follower = new StreamFollower<LogLine>(paths, {
    open(daemon) {
      const asked = isFirst ? query : { ...rest, ...position.resumeQuery() }
      isFirst = false
      return openStream(daemon, asked)
    },
    async take(lines) {
      const fresh = position.take(lines)
      await print(fresh)
      return fresh.length > 0
    },
  })
  const error = await follower.run(first)
  if (error !== undefined) throw error
  return 0
}

function openStream(daemon: Client, query: Query): Stream<LogLine> {
  return daemon.stream<LogLine>({ method: 'GET', path: '/v1/logs', query, doing: 'reading logs' })
}

/** Returns the format of lines; requests the services first, so that the column of their names keeps its width. */
async function makeFormatter(daemon: Client, query: KeysQuery, hasTimes: boolean): Promise<(line: LogLine) => string> {
  const { path, service, all = false } = query
  const { keys } = await daemon.get<KeysAnswer>('/v1/services/keys', { path, service, all })
  const isOne = new Set(keys.map(key => key.slice(0, key.indexOf(':')))).size < 2
  const format = formatFor(keys, all || !isOne)
  return line => `${hasTimes ? `${formatTime(line.time)} ` : ''}${format.text(line)}`
}

/** Throws USAGE for flags with which nothing can be printed, or that do nothing. */
function checkFlags({
  since,
  until,
  grep,
  ignoreCase,
}: Readonly<Record<'since' | 'until' | 'grep', string | undefined>> & {
  readonly ignoreCase: boolean
}): void {
  if (ignoreCase && grep === undefined)
    throw new LocaldError('USAGE', '--ignore-case needs --grep', {
      hint: 'Add `--grep RE`, or remove `--ignore-case`.',
    })
  if (since !== undefined && until !== undefined && since > until)
    throw new LocaldError('USAGE', '--since is after --until', { hint: 'Set --since to the earlier of the two times.' })
}

function checkPattern(text: string | undefined): string | undefined {
  try {
    if (text !== undefined) new RegExp(text)
    return text
  } catch (error) {
    throw new LocaldError('USAGE', `--grep: ${messageOf(error)}`, {
      hint: 'Use a JavaScript regular expression: put \\ before a literal . * + ? ( ) [ ] { } | ^ $.',
    })
  }
}
