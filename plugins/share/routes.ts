import type { FastifyPluginAsync } from 'fastify'
import type { ShareBody, ShareEvent, SharesAnswer } from './provides.ts'
import * as schemas from './schemas.ts'
import type { Share } from './share.ts'
import type { Shares } from './shares.ts'

function json(description: string, schema: object) {
  return { 200: { description, content: { 'application/json': { schema } } } }
}

/** Returns the routes of `/v1/shares`. */
export function shareRoutes(shares: Shares): FastifyPluginAsync {
  return async app => {
    app.get(
      '',
      { schema: { summary: 'List shared services', response: json('Shares', schemas.shares) } },
      async (): Promise<SharesAnswer> => ({ shares: shares.list() }),
    )
    app.post<{ Body: ShareBody }>(
      '',
      {
        schema: {
          summary: 'Share a service, as long as the answer is read',
          body: schemas.body,
          response: {
            200: {
              description: 'The share, again when it changes, and why it has stopped. One JSON value per line.',
              content: { 'application/x-ndjson': { schema: schemas.event } },
            },
          },
        },
      },
      async ({ body }, reply) =>
        reply.lines<ShareEvent>(async ({ push, signal }) => {
          const share = await shares.begin(body, signal)
          push(eventOf(share))
          if (body.detach === true) return
          const off = share.on(() => push(eventOf(share)))
          const reason = await share.stopped
          off()
          push({ event: 'stopped', reason })
        }),
    )
    app.post<{ Body: { readonly keys?: readonly string[] } }>(
      '/stop',
      {
        schema: {
          summary: 'Stop shares',
          body: schemas.stopBody,
          response: json('Those that were stopped', schemas.shares),
        },
      },
      async ({ body: { keys } }): Promise<SharesAnswer> => ({
        shares: await shares.stop(key => keys?.includes(key) ?? true, 'stopped by `locald share --stop`'),
      }),
    )
  }
}

function eventOf(share: Share): ShareEvent {
  return { event: 'share', share: share.view(), notes: share.notes }
}
