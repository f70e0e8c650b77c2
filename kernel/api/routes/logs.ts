import type { FastifyPluginAsync } from 'fastify'
import { LocaldError } from '../../errors.ts'
import type { LogLine } from '../../events.ts'
import type { Kernel } from '../../kernel.ts'
import { parseAnchor } from '../../logs/anchor.ts'
import { readLogs } from '../../logs/merge.ts'
import { searchLogs } from '../../logs/search.ts'
import type { LogSearchLine, LogSearchQuery, LogsQuery } from '../../protocol.ts'
import { stream } from '../schemas/answers.ts'
import { logSearchQuery, logsQuery } from '../schemas/requests.ts'

/** Most matches of a search without `limit`. */
const defaultMatches = 1000
/** Progress of a search is sent at most this often, ms: a client that gives it 0.12 s stops at the next one. */
const progressMs = 30

/** Routes of the services' output, which is read only as fast as the client reads it. */
export function logRoutes({ projects }: Kernel): FastifyPluginAsync {
  const lines = stream('Lines of the services, merged by time', 'LogLine')
  const found = stream('Matches, newest first, with progress between them; the last line is `done`', 'LogSearchLine')
  return async app => {
    app.get<{ Querystring: LogsQuery }>(
      '/logs',
      { schema: { summary: 'Read the output of services', querystring: logsQuery, response: lines } },
      async ({ query }, reply) => {
        const { tail, each, since, until, grep, ignoreCase, follow, partial, resume = [] } = query
        if (until !== undefined && follow === true) {
          throw new LocaldError('USAGE', '`until` and `follow` exclude each other', { hint: 'Remove one of them.' })
        }
        const anchors = new Map(resume.map(parseAnchor).map(({ key, anchor }) => [key, anchor]))
        const services = await projects.select(query)
        const sources = services.map(({ ref, log }) => ({ service: ref.key, log, after: anchors.get(ref.key) }))
        return reply.lines<LogLine>(async ({ send, signal }) => {
          const range = { tail, each, since, until }
          const request = { sources, ...range, grep, ignoreCase, follow: follow === true, partial, signal }
          for await (const lines of readLogs(request)) await send(lines)
        })
      },
    )
    app.get<{ Querystring: LogSearchQuery }>(
      '/logs/search',
      { schema: { summary: 'Search the output of services', querystring: logSearchQuery, response: found } },
      async ({ query }, reply) => {
        if (query.text === undefined && query.level === undefined) {
          throw new LocaldError('USAGE', 'nothing to search for', { hint: 'Add `text` or `level`.' })
        }
        const services = await projects.select(query)
        const sources = services.map(({ ref, log }) => ({ service: ref.key, log }))
        const failed = (error: unknown): LogSearchLine => ({ error: LocaldError.from(error).toJSON() })
        return reply.lines<LogSearchLine>(async ({ send, signal }) => {
          const { limit = defaultMatches } = query
          let sentMs = 0
          for await (const { lines, progress, isComplete } of searchLogs({ ...query, limit, sources, signal })) {
            if (lines.length > 0) await send(lines.map(match => ({ match })))
            if (isComplete || progress.matches >= limit) await send([{ done: { ...progress, isComplete } }])
            else if (performance.now() - sentMs >= progressMs) {
              sentMs = performance.now()
              await send([{ progress }])
            }
          }
        }, failed)
      },
    )
  }
}
