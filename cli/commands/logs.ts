import { LocaldError, messageOf } from '../../kernel/errors.ts'
import type { LogLine } from '../../kernel/events.ts'
import type { KeysAnswer, KeysQuery } from '../../kernel/protocol.ts'
import { flagValue } from '../args/parse.ts'
import { count, since } from '../args/values.ts'
import type { Context } from '../context.ts'
import { type Client, need, type Query, type Stream } from '../daemon/client.ts'
import { Seen } from '../follow/log-position.ts'
import { Pieces } from '../follow/partial-lines.ts'
import { Follower } from '../follow/stream.ts'
import { formatFor } from '../output/log-format.ts'
import { jsonOf } from '../output/sanitize.ts'
import { printAll } from '../output/terminal.ts'

/** Lines printed of each service when neither `-n` nor `--since` says how many: one that prints much does not hide the others. */
const defaultTail = 100

/** `locald logs`. */
export async function logs(context: Context): Promise<number> {
  const { words } = context
  const from = flagValue(words, 'since')
  const tail = flagValue(words, 'tail')
  const each = tail === undefined && from === undefined
  const query = {
    path: context.cwd,
    service: words.names,
    all: words.flags.has('all'),
    tail: tail !== undefined ? count('-n', tail) : each ? defaultTail : undefined,
    each,
    since: from === undefined ? undefined : since(from, Date.now()),
    grep: pattern(flagValue(words, 'grep')),
    follow: words.flags.has('follow'),
    partial: words.flags.has('follow') && !context.json,
  }
  const daemon = await need(context.paths)
  const text = context.json ? (line: LogLine) => jsonOf(line) : await formatted(daemon, query)
  const pieces = new Pieces()
  const print = (lines: readonly LogLine[]) =>
    printAll(
      pieces
        .rest(lines)
        .map(line => `${text(line)}\n`)
        .join(''),
    )
  if (query.follow) return await followed(context, daemon, query, print)
  for await (const lines of streamOf(daemon, query).batches) await print(lines)
  return 0
}

/** Goes on with the next daemon where one ends, without a line twice or too few. */
async function followed(
  { paths }: Context,
  first: Client,
  query: Query,
  print: (lines: readonly LogLine[]) => Promise<void>,
): Promise<number> {
  const { tail, each, ...rest } = query
  const seen = new Seen(new Date().toISOString())
  let isFirst = true
  const follower = new Follower<LogLine>(paths, {
    open(daemon) {
      const asked = isFirst ? query : { ...rest, ...seen.again() }
      isFirst = false
      return streamOf(daemon, asked)
    },
    async take(lines) {
      const fresh = seen.take(lines)
      await print(fresh)
      return fresh.length > 0
    },
  })
  const error = await follower.run(first)
  if (error !== undefined) throw error
  return 0
}

function streamOf(daemon: Client, query: Query): Stream<LogLine> {
  return daemon.stream<LogLine>({ method: 'GET', path: '/v1/logs', query, doing: 'reading logs' })
}

/** How lines look; the services are asked for first, so that the column of their names keeps its width. */
async function formatted(daemon: Client, query: KeysQuery): Promise<(line: LogLine) => string> {
  const { path, service, all = false } = query
  const { keys } = await daemon.get<KeysAnswer>('/v1/services/keys', { path, service, all })
  const isOne = new Set(keys.map(key => key.slice(0, key.indexOf(':')))).size < 2
  const format = await formatFor(keys, all || !isOne)
  return line => format.text(line)
}

function pattern(text: string | undefined): string | undefined {
  try {
    if (text !== undefined) new RegExp(text)
    return text
  } catch (error) {
    throw new LocaldError('USAGE', `--grep: ${messageOf(error)}`, {
      hint: 'It takes a JavaScript regular expression: put \\ before . * + ? ( ) [ ] { } | ^ $ that are meant literally.',
    })
  }
}
