import type { FastifyPluginAsync } from 'fastify'
import type { Kernel } from '../kernel.ts'
import type { CleanAnswer, PinBody, RegistryAnswer } from '../wire.ts'
import { pinBody } from './bodies.ts'

/** The known projects, and which of them are started with the daemon. */
export function registryRoutes({ known }: Kernel): FastifyPluginAsync {
  return async app => {
    app.get('/registry', async () => ({ projects: known.list() }) satisfies RegistryAnswer)
    app.post<{ Body: PinBody }>(
      '/registry/pin',
      { schema: { body: pinBody } },
      async ({ body }) => ({ projects: await known.pin(body) }) satisfies RegistryAnswer,
    )
    app.post('/registry/clean', async () => (await known.clean()) satisfies CleanAnswer)
  }
}
