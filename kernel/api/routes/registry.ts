import type { FastifyPluginAsync } from 'fastify'
import { filesOf } from '../../config/sources/inference.ts'
import { allowPath } from '../../config/trust/allow.ts'
import type { Kernel } from '../../kernel.ts'
import type {
  AllowAnswer,
  AllowBody,
  CleanAnswer,
  CleanBody,
  ForgetBody,
  PinBody,
  RegistryAnswer,
} from '../../protocol.ts'
import { answer } from '../schemas/answers.ts'
import { allowed, cleaned, registry } from '../schemas/projects.ts'
import { allowBody, cleanBody, forgetBody, pinBody } from '../schemas/requests.ts'

/** Routes of the known projects, of those that start with the daemon, and of allowed folders of other users. */
export function registryRoutes({ known, operations, paths, projects }: Kernel): FastifyPluginAsync {
  return async app => {
    app.get(
      '/registry',
      { schema: { summary: 'List known projects', response: answer('All known projects', registry) } },
      async () => {
        operations.deleted.look()
        return { projects: known.list() } satisfies RegistryAnswer
      },
    )
    app.post<{ Body: PinBody }>(
      '/registry/pin',
      {
        schema: {
          summary: 'Pin or unpin projects',
          body: pinBody,
          response: answer('Affected projects', registry),
        },
      },
      async ({ body }) => ({ projects: await known.pin(body) }) satisfies RegistryAnswer,
    )
    app.post<{ Body: CleanBody | null | undefined }>(
      '/registry/clean',
      {
        schema: {
          summary:
            'Forget projects whose folder was deleted, with the chosen data, and remove logs of unknown projects',
          body: cleanBody,
          response: answer('Forgotten and kept projects, their data, and removed logs', cleaned),
        },
      },
      async ({ body }) => (await known.clean(body ?? {})) satisfies CleanAnswer,
    )
    app.post<{ Body: ForgetBody }>(
      '/registry/forget',
      {
        schema: {
          summary: 'Forget projects in folders that were deleted',
          body: forgetBody,
          response: answer('Removed and kept projects', cleaned),
        },
      },
      async ({ body }) => (await known.forget(body.paths)) satisfies CleanAnswer,
    )
    app.post<{ Body: AllowBody }>(
      '/config/allow',
      {
        schema: {
          summary: 'Allow project files that belong to another user',
          body: allowBody,
          response: answer('The folder and the users', allowed),
        },
      },
      async ({ body }) => {
        const sources = projects.types.sources.flatMap(filesOf)
        return (await allowPath({ path: body.path, dataFolder: paths.data, sources })) satisfies AllowAnswer
      },
    )
  }
}
