import swagger from '@fastify/swagger'
import Fastify, { type FastifySchema } from 'fastify'
import { named, ref } from './schemas/named.ts'
import { checkSchemas, noCompilers } from './validation.ts'

/** A registered route with its full path. */
export interface DescribedRoute {
  readonly method: string
  readonly url: string
  readonly schema: FastifySchema | undefined
}

const failure = {
  description: 'Error; the HTTP status depends on its code',
  content: {
    'application/json': { schema: { type: 'object', required: ['error'], properties: { error: ref('Error') } } },
  },
}

/**
 * Generates the OpenAPI 3.1 document of routes. Uses a separate Fastify instance, so that the daemon's does not load
 * the library.
 */
export async function documentOf(routes: readonly DescribedRoute[], version: string): Promise<object> {
  const app = Fastify({ exposeHeadRoutes: false, schemaController: { compilersFactory: noCompilers } })
  checkSchemas(app)
  for (const [name, schema] of Object.entries(named)) app.addSchema({ $id: name, ...schema })
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'locald',
        version,
        description:
          "The daemon's API: HTTP/1.1 and JSON on its Unix socket, `curl --unix-socket SOCKET http://localhost/v1/ping`.",
      },
      servers: [{ url: 'http://localhost', description: 'On the Unix socket that `locald server status` prints.' }],
    },
    convertConstToEnum: false,
    refResolver: { buildLocalReference: (json, _base, _fragment, index) => String(json['$id'] ?? `def-${index}`) },
  })
  for (const { method, url, schema } of routes) {
    const response = Object.assign({ default: failure }, schema?.response)
    app.route({ method, url, schema: { ...schema, response }, handler: () => undefined })
  }
  await app.ready()
  const document = app.swagger()
  await app.close()
  return document
}
