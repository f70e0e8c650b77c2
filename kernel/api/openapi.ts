import type { FastifyInstance } from 'fastify'
import type { DescribedRoute } from './openapi-document.ts'
import { answer } from './schemas/answers.ts'

/** Serves the OpenAPI document of all routes that are registered later, plugins' included. Generates it on request. */
export function openApi(app: FastifyInstance, version: string): void {
  const routes = new Map<string, DescribedRoute>()
  app.addHook('onRoute', ({ method, url, schema }) => {
    for (const each of [method].flat()) {
      const key = `${each} ${url}`
      // Fastify rejects a duplicate route after this hook.
      if (each !== 'HEAD' && !routes.has(key)) routes.set(key, { method: each, url, schema })
    }
  })
  const schema = { summary: 'This document', response: answer('OpenAPI 3.1', { type: 'object' }) }
  app.get('/v1/openapi.json', { schema }, async () => {
    const { documentOf } = await import('./openapi-document.ts')
    return documentOf([...routes.values()], version)
  })
}
