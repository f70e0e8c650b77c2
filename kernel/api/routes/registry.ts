import type { FastifyPluginAsync } from 'fastify'
import { allowPath } from '../../config/allow.ts'
import type { Kernel } from '../../kernel.ts'
import type { AllowAnswer, AllowBody, CleanAnswer, PinBody, RegistryAnswer } from '../../protocol.ts'
import { allowBody, pinBody } from '../request-schemas.ts'
import { allowed, answer, cleaned, registry } from '../response-schemas.ts'

/** The known projects, which of them are started with the daemon, and which folders of other users may be projects. */
export function registryRoutes({ known, paths, projects }: Kernel): FastifyPluginAsync {
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
    app.post<{ Body: AllowBody }>(
      '/config/allow',
      {
        schema: {
          summary: 'Takes the project files of a folder though they belong to another user',
          body: allowBody,
          response: answer('The folder and the users', allowed),
        },
      },
      async ({ body }) => {
        const sources = projects.types.sources.map(({ file }) => file)
        return (await allowPath({ path: body.path, dataFolder: paths.data, sources })) satisfies AllowAnswer
      },
    )
  }
}
