import type { FastifyPluginAsync } from 'fastify'
import type { LocaldEvent } from '../events.ts'
import type { Kernel } from '../kernel.ts'
import type { ResetBody, RestartBody, ShutdownBody, TargetBody, UpBody, WaitBody } from '../wire.ts'
import { resetBody, restartBody, shutdownBody, targetBody, upBody, waitBody } from './bodies.ts'

/** What changes projects. Each answers with its events, the last `done`. */
export function projectRoutes(kernel: Kernel, shutdown: () => void): FastifyPluginAsync {
  const { operations } = kernel
  return async app => {
    app.post<{ Body: UpBody }>('/projects/up', { schema: { body: upBody } }, ({ body }, reply) =>
      reply.lines<LocaldEvent>(({ tell }) => operations.up(body, tell)),
    )
    app.post<{ Body: TargetBody }>('/projects/stop', { schema: { body: targetBody } }, ({ body }, reply) =>
      reply.lines<LocaldEvent>(({ tell }) => operations.stop(body, tell)),
    )
    app.post<{ Body: RestartBody }>('/projects/restart', { schema: { body: restartBody } }, ({ body }, reply) =>
      reply.lines<LocaldEvent>(({ tell }) => operations.restart(body, tell)),
    )
    app.post<{ Body: ResetBody }>('/services/reset', { schema: { body: resetBody } }, ({ body }, reply) =>
      reply.lines<LocaldEvent>(({ tell }) => operations.reset(body, tell)),
    )
    app.post<{ Body: WaitBody }>('/services/wait', { schema: { body: waitBody } }, ({ body }, reply) =>
      reply.lines<LocaldEvent>(({ tell, signal }) => operations.wait(body, tell, signal)),
    )
    app.post<{ Body: ShutdownBody }>(
      '/server/shutdown',
      { schema: { body: shutdownBody } },
      async ({ body }, reply) => {
        reply.raw.once('close', shutdown)
        await reply.lines<LocaldEvent>(async ({ tell }) => {
          const ok = await operations.close(body.keepServices, tell)
          tell({ event: 'done', ok, services: kernel.projects.services(undefined).map(({ state }) => state.view()) })
        })
      },
    )
    app.get('/events', (_, reply) =>
      reply.lines<LocaldEvent>(async ({ tell, signal }) => {
        for (const { state } of kernel.projects.services(undefined)) tell({ event: 'service', service: state.view() })
        tell()
        const off = kernel.events.on(tell)
        await new Promise<void>(resolve => signal.addEventListener('abort', () => resolve(), { once: true }))
        off()
      }),
    )
  }
}
