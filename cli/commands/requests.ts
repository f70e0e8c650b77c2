import type { KeysAnswer } from '../../kernel/protocol.ts'
import type { ExchangesAnswer, ExchangeView } from '../../plugins/proxy/provides.ts'
import { flagValue } from '../args/parse.ts'
import { parseCount } from '../args/values.ts'
import type { Context } from '../context.ts'
import { type Client, type Query, requireDaemon } from '../daemon/client.ts'
import { StreamFollower } from '../follow/stream.ts'
import { requestLine, requestTable } from '../output/request-table.ts'
import { toSafeJson } from '../output/sanitize.ts'
import { print, printAll, printStderr } from '../output/terminal.ts'

/** Requests printed without `-n`. */
const defaultTail = 50

/** `locald requests`. */
export async function requests(context: Context): Promise<number> {
  const { args, json, paths } = context
  const daemon = await requireDaemon(paths)
  const tail = flagValue(args, 'tail')
  const query: Query = {
    tail: tail === undefined ? defaultTail : parseCount('-n', tail),
    service: await serviceKeys(context, daemon),
    status: flagValue(args, 'status'),
    method: flagValue(args, 'method'),
    path: flagValue(args, 'path'),
  }
  if (args.flags.has('follow')) return await follow(context, daemon, query)
  const answer = await daemon.get<ExchangesAnswer>('/v1/requests', query)
  if (json) await printAll(answer.requests.map(row => `${toSafeJson(jsonOf(row))}\n`).join(''))
  else if (answer.requests.length > 0) print(requestTable(answer.requests))
  else if (answer.record === 'off')
    printStderr('Requests are not recorded: remove `record = "off"` from [proxy] in config.toml.')
  else printStderr('No such requests. Open the URL of a service.')
  return 0
}

/** Prints requests as they are answered, and continues with the next daemon. */
async function follow({ json, paths }: Context, first: Client, query: Query): Promise<number> {
  let isFirst = true
  const follower = new StreamFollower<ExchangeView>(paths, {
    open(daemon) {
      const { tail, ...filter } = query
      const asked = isFirst ? query : { ...filter, tail: 0 }
      isFirst = false
      return daemon.stream({ method: 'GET', path: '/v1/requests/follow', query: asked, doing: 'reading requests' })
    },
    async take(rows) {
      await printAll(rows.map(row => `${json ? toSafeJson(jsonOf(row)) : requestLine(row)}\n`).join(''))
      return rows.length > 0
    },
  })
  const error = await follower.run(first)
  if (error !== undefined) throw error
  return 0
}

/** Resolves `--service` as other commands do: a name in this project, or `project:service`. */
async function serviceKeys({ args, cwd }: Context, daemon: Client): Promise<readonly string[] | undefined> {
  const service = args.values.get('service')
  if (service === undefined) return undefined
  return (await daemon.get<KeysAnswer>('/v1/services/keys', { path: cwd, service })).keys
}

/** Returns the fields that `--json` prints. */
export function jsonOf(row: ExchangeView) {
  const { id, time, method, host, path, status, service, durationMs, requestBytes, responseBytes } = row
  return { id, time, method, host, path, status, service, durationMs, requestBytes, responseBytes }
}
