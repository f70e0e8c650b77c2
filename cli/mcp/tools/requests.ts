import { formatMeasured } from '../../../kernel/lib/duration.ts'
import type { KeysAnswer } from '../../../kernel/protocol.ts'
import type { ExchangeDetail, ExchangesAnswer, ExchangeView } from '../../../plugins/proxy/provides.ts'
import type { Client } from '../../daemon/client.ts'
import { formatExchange } from '../../output/exchange.ts'
import { sanitizeLine } from '../../output/sanitize.ts'
import { shortName } from '../../output/service-state.ts'
import type { Item, Report } from '../pages.ts'
import { describePlace, findPlace } from '../place.ts'
import { clockTime } from '../time.ts'
import { type CommonArgs, defineTool } from '../tool.ts'

interface Args extends CommonArgs {
  readonly id?: string
  readonly replay?: boolean
  readonly services?: readonly string[]
  readonly status?: string
  readonly method?: string
  readonly path?: string
  readonly limit?: number
}

const text = { type: 'string' } as const

/** What went through the proxy. */
export const requests = defineTool<Args>({
  name: 'requests',
  title: 'HTTP requests',
  description:
    'Lists the latest HTTP requests to the services, newest first, with status and duration. With `id`: one with headers and bodies (secrets masked). With `id` and `replay`: sends it again and shows the new response, which tests a fix.',
  input: {
    id: { ...text, description: 'A request of the list' },
    replay: { type: 'boolean', description: 'Send the request `id` again' },
    services: { type: 'array', items: text, description: 'Only requests to these services' },
    status: { ...text, description: 'Only 404, 5xx, or error: those without a whole response' },
    method: { ...text, description: 'Only this method' },
    path: { ...text, description: 'Only paths that match a glob, such as /api/*' },
    limit: { type: 'integer', minimum: 1, maximum: 500, description: 'Default 50' },
  },
  output: { requests: { type: 'array', items: {} } },
  annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: false },
  async run(session, args) {
    const daemon = await session.daemon()
    if (args.id !== undefined) return await showOne(daemon, args.id, args.replay === true)
    const place = await findPlace(session, daemon, args.project)
    const { services = [], status, method, path, limit = 50 } = args
    const { keys } = await daemon.get<KeysAnswer>('/v1/services/keys', { path: place.path, service: services })
    const query = { service: keys, tail: limit, status, method, path }
    const { requests: rows, record } =
      keys.length === 0 ? none : await daemon.get<ExchangesAnswer>('/v1/requests', query)
    const empty =
      record === 'off' ? 'Requests are not recorded: `record` is off in config.toml.' : 'No such requests yet.'
    return {
      head: `${describePlace(place)}\n${rows.length === 0 ? empty : `The latest ${rows.length}, newest first`}`,
      facts: { project: place },
      list: 'requests',
      items: rows.toReversed().map(itemOf),
    }
  },
})

const none: ExchangesAnswer = { requests: [], record: 'metadata' }

async function showOne(daemon: Client, id: string, replays: boolean): Promise<Report> {
  const at = (it: string) => `/v1/requests/${encodeURIComponent(it)}`
  const shown = replays ? (await daemon.post<ExchangeView>(`${at(id)}/replay`, {}, null)).id : id
  const detail = await daemon.get<ExchangeDetail>(at(shown))
  const lines = formatExchange(detail).split('\n')
  return {
    head: replays ? `Replayed ${id} as ${shown}: ${detail.status ?? 'no response'}` : `Request ${shown}`,
    facts: {},
    list: 'requests',
    items: lines.map(line => ({ text: line, data: line })),
    ...(replays && detail.status === null ? { isError: true } : {}),
  }
}

function itemOf(row: ExchangeView): Item {
  const { id, time, method, host, path, status, service, durationMs, error, responseBytes } = row
  const took = durationMs === null ? 'not complete' : formatMeasured(durationMs)
  const by = service === null ? 'locald' : shortName(service)
  const line = `${id} ${clockTime(time)} ${method} ${path} ${status ?? '-'} ${took} ${by}${error === null ? '' : `: ${error}`}`
  return {
    text: sanitizeLine(line),
    data: { id, time, method, host, path, status, service, durationMs, responseBytes, error },
  }
}
