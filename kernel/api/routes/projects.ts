import type { FastifyPluginAsync } from 'fastify'
import { LocaldError } from '../../errors.ts'
import type { LocaldEvent } from '../../events.ts'
import type { Kernel } from '../../kernel.ts'
import type {
  LeaseReleaseBody,
  ResetBody,
  RestartBody,
  ShutdownBody,
  StopBody,
  UpBody,
  WaitBody,
} from '../../protocol.ts'
import { answer, nothing, stream } from '../schemas/answers.ts'
import {
  leaseReleaseBody,
  resetBody,
  restartBody,
  shutdownBody,
  stopBody,
  upBody,
  waitBody,
} from '../schemas/requests.ts'

const events = stream('Events of the operation, the last one `done`', 'Event')

/** Returns the routes that change projects. Each responds with its events, the last one `done`. */
export function projectRoutes(kernel: Kernel, shutdown: () => void): FastifyPluginAsync {
  const { operations } = kernel
  return async app => {
    app.post<{ Body: UpBody }>(
      '/projects/up',
      {
        schema: {
          summary: 'Start services of a project, in order of their dependencies',
          body: upBody,
          response: events,
        },
      },
      ({ body }, reply) => reply.lines(({ push, signal }) => operations.up(body, push, signal), failed),
    )
    app.post<{ Body: LeaseReleaseBody }>(
      '/leases/release',
      {
        schema: {
          summary: 'Remove the leases of a process, and stop what only it has held',
          body: leaseReleaseBody,
          response: answer('All is stopped', nothing),
        },
      },
      async ({ body }) => {
        await operations.leases.release(body.pid)
        return {}
      },
    )
    app.post<{ Body: StopBody }>(
      '/projects/stop',
      { schema: { summary: 'Stop services, dependents first', body: stopBody, response: events } },
      ({ body }, reply) => reply.lines(({ push }) => operations.stop(body, push), failed),
    )
    app.post<{ Body: RestartBody }>(
      '/projects/restart',
      { schema: { summary: 'Restart services', body: restartBody, response: events } },
      ({ body }, reply) => reply.lines(({ push }) => operations.restart(body, push), failed),
    )
    app.post<{ Body: ResetBody }>(
      '/services/reset',
      {
        schema: {
          summary: 'Delete the data of a service, which is stopped meanwhile',
          body: resetBody,
          response: events,
        },
      },
      ({ body }, reply) => reply.lines(({ push }) => operations.reset(body, push), failed),
    )
    app.post<{ Body: WaitBody }>(
      '/services/wait',
      { schema: { summary: 'Wait until services are ready', body: waitBody, response: events } },
      ({ body }, reply) => reply.lines(({ push, signal }) => operations.wait(body, push, signal), failed),
    )
    app.post<{ Body: ShutdownBody }>(
      '/server/shutdown',
      {
        schema: {
          summary: 'Stop the daemon, and its services unless they are kept',
          body: shutdownBody,
          response: events,
        },
      },
      async ({ body }, reply) => {
        reply.raw.once('close', shutdown)
        await reply.lines<LocaldEvent>(async ({ push }) => {
          const ok = await operations.close(body.keepServices, push)
          push({ event: 'done', ok, services: kernel.projects.services(undefined).map(({ state }) => state.view()) })
        }, failed)
      },
    )
    const all = stream('The state of every service, then all events', 'Event')
    app.get('/events', { schema: { summary: 'Follow all events', response: all } }, (_, reply) =>
      reply.lines<LocaldEvent>(async ({ push, signal }) => {
        for (const { state } of kernel.projects.services(undefined)) push({ event: 'service', service: state.view() })
        push()
        const off = kernel.events.on(push)
        await new Promise<void>(resolve => signal.addEventListener('abort', () => resolve(), { once: true }))
        off()
      }),
    )
  }
}

/** Returns the last event of an operation that failed after its first. */
function failed(error: unknown): LocaldEvent {
  return { event: 'done', ok: false, services: [], error: LocaldError.from(error).toJSON() }
}
