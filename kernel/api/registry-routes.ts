import type { FastifyPluginAsync } from 'fastify'
import type { Kernel } from '../kernel.ts'
import type { CleanAnswer, PinBody, RegistryAnswer } from '../wire.ts'
import { answer, cleaned, registry } from './answers.ts'
import { pinBody } from './bodies.ts'

/** The known projects, and which of them are started with the daemon. */
export function registryRoutes({ known }: Kernel): FastifyPluginAsync {
  return async app => {
    app.get(
      '/registry',
      { schema: { summary: 'The known projects', response: answer('All of them', registry) } },
      async () => ({ projects: known.list() }) satisfies RegistryAnswer,
    )
    app.post<{ Body: PinBody }>(
      '/registry/pin',
      {
        schema: {
          summary: 'Has projects started with the daemon, or not any more',
          body: pinBody,
          response: answer('Those it was about', registry),
        },
      },
      async ({ body }) => ({ projects: await known.pin(body) }) satisfies RegistryAnswer,
    )
    app.post(
      '/registry/clean',
      { schema: { summary: 'Forgets the projects whose folder is gone', response: answer('What was done', cleaned) } },
      async () => (await known.clean()) satisfies CleanAnswer,
    )
  }
}
