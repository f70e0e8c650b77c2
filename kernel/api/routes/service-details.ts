import type { FastifyPluginAsync } from 'fastify'
import type { Kernel } from '../../kernel.ts'
import { describeEnvironment } from '../../operations/service-environment.ts'
import type { EnvQuery } from '../../protocol.ts'
import { envQuery } from '../request-schemas.ts'
import { answer, environment } from '../response-schemas.ts'

/** Returns the routes with all that is known of one service. */
export function serviceDetailRoutes(kernel: Kernel): FastifyPluginAsync {
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
  }
}
