import type { FastifyPluginAsync } from 'fastify'
import { LocaldError } from '../../errors.ts'
import type { LocaldEvent } from '../../events.ts'
import type { Kernel } from '../../kernel.ts'
import type { ResetBody, RestartBody, ShutdownBody, StopBody, UpBody, WaitBody } from '../../protocol.ts'
import { resetBody, restartBody, shutdownBody, stopBody, upBody, waitBody } from '../request-schemas.ts'
import { stream } from '../response-schemas.ts'

const events = stream('What happens, the last one `done`', 'Event')

/** What changes projects. Each answers with its events, the last `done`. */
export function projectRoutes(kernel: Kernel, shutdown: () => void): FastifyPluginAsync {
  const { operations } = kernel
  return async app => {
    app.post<{ Body: UpBody }>(
      '/projects/up',
      { schema: { summary: 'Starts services of a project, by their dependencies', body: upBody, response: events } },
      ({ body }, reply) => reply.lines(({ tell, signal }) => operations.up(body, tell, signal), failed),
    )
    app.post<{ Body: StopBody }>(
      '/projects/stop',
      { schema: { summary: 'Stops services, dependents first', body: stopBody, response: events } },
      ({ body }, reply) => reply.lines(({ tell }) => operations.stop(body, tell), failed),
    )
    app.post<{ Body: RestartBody }>(
      '/projects/restart',
      { schema: { summary: 'Restarts services', body: restartBody, response: events } },
      ({ body }, reply) => reply.lines(({ tell }) => operations.restart(body, tell), failed),
    )
    app.post<{ Body: ResetBody }>(
      '/services/reset',
      {
        schema: {
          summary: 'Wipes the data of a service, which is stopped meanwhile',
          body: resetBody,
          response: events,
        },
      },
      ({ body }, reply) => reply.lines(({ tell }) => operations.reset(body, tell), failed),
    )
    app.post<{ Body: WaitBody }>(
      '/services/wait',
      { schema: { summary: 'Waits until services are ready', body: waitBody, response: events } },
      ({ body }, reply) => reply.lines(({ tell, signal }) => operations.wait(body, tell, signal), failed),
    )
    app.post<{ Body: ShutdownBody }>(
      '/server/shutdown',
      {
        schema: { summary: 'Ends the daemon, and services unless they are kept', body: shutdownBody, response: events },
      },
      async ({ body }, reply) => {
        reply.raw.once('close', shutdown)
        await reply.lines<LocaldEvent>(async ({ tell }) => {
          const ok = await operations.close(body.keepServices, tell)
          tell({ event: 'done', ok, services: kernel.projects.services(undefined).map(({ state }) => state.view()) })
        }, failed)
      },
    )
    const all = stream('The state of every service, then all events', 'Event')
    app.get('/events', { schema: { summary: 'All that happens', response: all } }, (_, reply) =>
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

/** The last event of an operation that failed after its first. */
function failed(error: unknown): LocaldEvent {
  return { event: 'done', ok: false, services: [], error: LocaldError.from(error).toJSON() }
}
