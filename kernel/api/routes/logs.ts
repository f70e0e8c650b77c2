import type { FastifyPluginAsync } from 'fastify'
import type { LogLine } from '../../events.ts'
import type { Kernel } from '../../kernel.ts'
import { parseAnchor } from '../../logs/anchor.ts'
import { readLogs } from '../../logs/merge.ts'
import type { LogsQuery } from '../../protocol.ts'
import { logsQuery } from '../request-schemas.ts'
import { stream } from '../response-schemas.ts'

/** Routes of the services' output, which is read only as fast as the client reads it. */
export function logRoutes({ projects }: Kernel): FastifyPluginAsync {
  const response = stream('Lines of the services, merged by time', 'LogLine')
  const schema = { summary: 'Read the output of services', querystring: logsQuery, response }
  return async app => {
    app.get<{ Querystring: LogsQuery }>('/logs', { schema }, async ({ query }, reply) => {
      const { tail, each, since, grep, follow, partial, resume = [] } = query
      const anchors = new Map(resume.map(parseAnchor).map(({ key, anchor }) => [key, anchor]))
      const services = await projects.select(query)
      const sources = services.map(({ ref, log }) => ({ service: ref.key, log, after: anchors.get(ref.key) }))
      return reply.lines<LogLine>(async ({ send, signal }) => {
        const request = { sources, tail, each, since, grep, follow: follow === true, partial, signal }
        for await (const lines of readLogs(request)) await send(lines)
      })
    })
  }
}
