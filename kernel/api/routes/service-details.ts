import type { FastifyPluginAsync } from 'fastify'
import type { Kernel } from '../../kernel.ts'
import { describeService } from '../../operations/reports/service-details.ts'
import { describeEnvironment } from '../../operations/reports/service-environment.ts'
import type { EnvQuery, HistoryAnswer, OneServiceQuery, UsageAnswer } from '../../protocol.ts'
import { answer } from '../schemas/answers.ts'
import { envQuery, oneServiceQuery } from '../schemas/requests.ts'
import { details, environment, history, usage as usageOverTime } from '../schemas/services.ts'

/** Returns the routes with all that is known of one service. */
export function serviceDetailRoutes(kernel: Kernel): FastifyPluginAsync {
  const { projects, usage } = kernel
  return async app => {
    app.get<{ Querystring: EnvQuery }>(
      '/services/env',
      {
        schema: {
          summary: 'Show the environment of a service, and what sets each variable',
          querystring: envQuery,
          response: answer('Its variables; secrets are masked unless they are to be revealed', environment),
        },
      },
      async ({ query }) => describeEnvironment(kernel, query),
    )
    app.get<{ Querystring: OneServiceQuery }>(
      '/services/details',
      {
        schema: {
          summary: 'Show what a service is, and how it is connected',
          querystring: oneServiceQuery,
          response: answer('Its command, folder, ports, dependencies and configuration', details),
        },
      },
      async ({ query }) => describeService(kernel, query),
    )
    app.get<{ Querystring: OneServiceQuery }>(
      '/services/history',
      {
        schema: {
          summary: 'Show what has happened to a service',
          querystring: oneServiceQuery,
          response: answer('Its states, exits and warnings, the oldest first', history),
        },
      },
      async ({ query }) => {
        const { service } = await projects.target(query.path, query.service)
        return { key: service.ref.key, entries: service.history.list() } satisfies HistoryAnswer
      },
    )
    app.get<{ Querystring: OneServiceQuery }>(
      '/services/usage',
      {
        schema: {
          summary: 'Show the CPU and memory of a service over time',
          querystring: oneServiceQuery,
          response: answer('Its usage at the times when someone looked, the oldest first', usageOverTime),
        },
      },
      async ({ query }) => {
        const { service } = await projects.target(query.path, query.service)
        return { key: service.ref.key, samples: usage.past(service.ref.key) } satisfies UsageAnswer
      },
    )
  }
}
