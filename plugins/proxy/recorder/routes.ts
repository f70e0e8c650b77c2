import type { FastifyPluginAsync } from 'fastify'
import type { ExchangesAnswer, ExchangeView, ReplayBody } from '../provides.ts'
import { followChanges } from './changes.ts'
import type { Inspector } from './inspector.ts'
import type { Recorder } from './recorder.ts'
import * as schemas from './schemas.ts'
import { type ExchangeQuery, filterOf, latestOf } from './view/filter.ts'
import { harOf } from './view/har.ts'
import { type SnippetKind, snippetOf } from './view/snippet.ts'

/** What the routes read; undefined before the proxy listens. */
export interface Recorded {
  readonly recorder: Recorder
  readonly inspector: Inspector
}

type ListQuery = ExchangeQuery & { readonly tail?: number }
type Params = { readonly id: string }
type Reveal = { readonly reveal?: boolean }
type HarQuery = ListQuery & Reveal & { readonly id?: readonly string[] }

/** What stands for a secret in a file for other programs: they expect ASCII in URLs. */
const fileMask = 'masked'

/** Returns the routes of `/v1/requests`. */
export function requestRoutes(recorded: () => Recorded): FastifyPluginAsync {
  const { params } = schemas
  return async app => {
    app.get<{ Querystring: ListQuery }>(
      '',
      {
        schema: {
          summary: 'List recorded requests, the oldest first',
          querystring: schemas.listQuery,
          response: schemas.answer('Recorded requests', schemas.exchanges),
        },
      },
      async ({ query }): Promise<ExchangesAnswer> => {
        const { inspector, recorder } = recorded()
        return { requests: await inspector.list(query), record: recorder.mode }
      },
    )
    app.get<{ Querystring: ListQuery }>(
      '/follow',
      {
        schema: {
          summary: 'Follow requests; bodies are kept meanwhile',
          querystring: schemas.listQuery,
          response: {
            200: {
              description: 'Each request once, when its response is complete. One JSON value per line.',
              content: { 'application/x-ndjson': { schema: schemas.exchange } },
            },
          },
        },
      },
      async ({ query }, reply) => {
        const { inspector, recorder } = recorded()
        const fits = filterOf(query)
        return reply.lines<ExchangeView>(async ({ push, signal }) => {
          const seen = new Set<string>()
          const take = (rows: readonly ExchangeView[]): void => {
            const fresh = rows.filter(row => isComplete(row) && !seen.has(row.id))
            for (const { id } of fresh) seen.add(id)
            // Ids that the ring no longer has cannot change.
            if (seen.size > maxSeen) for (const id of [...seen].slice(0, maxSeen / 2)) seen.delete(id)
            push(...fresh.filter(fits))
          }
          const following = followChanges(recorder, inspector, { signal, take: (_, rows) => take(rows) })
          // One look at all: a request that is answered between two would be in neither.
          const all = await inspector.list({})
          const past = latestOf(all.filter(fits), query.tail ?? 0)
          for (const row of all) if (isComplete(row) && !past.includes(row)) seen.add(row.id)
          take(past)
          await following
        })
      },
    )
    app.get<{ Querystring: HarQuery }>(
      '/har',
      {
        schema: {
          summary: 'Export requests as HAR 1.2, without secrets',
          querystring: schemas.harQuery,
          response: schemas.answer('HAR 1.2', { type: 'object' }),
        },
      },
      async ({ query }) => {
        const { inspector } = recorded()
        const { id: ids, reveal, ...filter } = query
        const wanted = ids ?? (await inspector.list(filter)).map(({ id }) => id)
        const entries = wanted.map(id => inspector.find(id))
        return harOf(await inspector.details(entries, { reveal, mask: fileMask }))
      },
    )
    app.get<{ Params: Params; Querystring: Reveal }>(
      '/:id',
      {
        schema: {
          summary: 'Show a request with headers, bodies and frames',
          ...{ params, querystring: schemas.detailQuery },
          response: schemas.answer('The request', schemas.detail),
        },
      },
      async ({ params: { id }, query }) => await recorded().inspector.detail(id, query),
    )
    app.get<{ Params: Params; Querystring: Reveal & { readonly as: SnippetKind } }>(
      '/:id/snippet',
      {
        schema: {
          summary: 'Show a request as a command or code, without secrets',
          ...{ params, querystring: schemas.snippetQuery },
          response: schemas.answer('The text', { type: 'object', properties: { text: { type: 'string' } } }),
        },
      },
      async ({ params: { id }, query: { as, reveal } }) => {
        const detail = await recorded().inspector.detail(id, { reveal, mask: fileMask })
        return { text: snippetOf(detail, as) }
      },
    )
    app.post<{ Params: Params; Body: ReplayBody }>(
      '/:id/replay',
      {
        schema: {
          summary: 'Send a request again, with changes if any',
          ...{ params, body: schemas.replayBody },
          response: schemas.answer('The new request', schemas.exchange),
        },
      },
      async ({ params: { id }, body }) => await recorded().inspector.replay(id, body),
    )
    app.delete(
      '',
      {
        schema: {
          summary: 'Forget all recorded requests',
          response: schemas.answer('Nothing', { type: 'object' }),
        },
      },
      async () => {
        recorded().recorder.clear()
        return {}
      },
    )
  }
}

const maxSeen = 10_000

/** Whether nothing follows, or, of a WebSocket or an event stream, whether it has begun. */
function isComplete({ durationMs, kind, status }: ExchangeView): boolean {
  return durationMs !== null || (kind !== 'http' && status !== null)
}
