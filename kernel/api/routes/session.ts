import type { FastifyPluginAsync } from 'fastify'
import type { Kernel } from '../../kernel.ts'
import { readRedaction } from '../../operations/reports/redact.ts'
import type { RedactAnswer, RedactBody } from '../../protocol.ts'
import { answer } from '../schemas/answers.ts'
import { redacted } from '../schemas/daemon.ts'
import { redactBody } from '../schemas/requests.ts'
import { reportSession } from '../session-report.ts'

/** Returns the routes of what others get to see: the report for a bug, and texts without secrets. */
export function sessionRoutes(kernel: Kernel): FastifyPluginAsync {
  const zip = {
    description: 'A zip file',
    content: { 'application/zip': { schema: { type: 'string', format: 'binary' } } },
  }
  return async app => {
    app.post<{ Body: RedactBody }>(
      '/redact',
      {
        schema: {
          summary: 'Mask the secrets of all projects in a value',
          body: redactBody,
          response: answer('The same without secrets', redacted),
        },
      },
      async ({ body }) => {
        const { projects, container } = kernel
        const redaction = await readRedaction({ projects, catalog: container.use.catalog })
        return { value: redaction.value(body.value) } satisfies RedactAnswer
      },
    )
    app.get(
      '/session/export',
      {
        schema: {
          summary: 'Export states, configuration, last logs and checks, without secrets',
          response: { 200: zip },
        },
      },
      async (_, reply) => {
        const [files, { strToU8, zipSync }] = await Promise.all([reportSession(kernel), import('fflate')])
        const entries = [...files].map(([name, text]) => [`locald-session/${name}`, strToU8(text)] as const)
        const archive = zipSync(Object.fromEntries(entries))
        void reply.header('Content-Disposition', 'attachment; filename="locald-session.zip"')
        return await reply.type('application/zip').send(Buffer.from(archive.buffer, archive.byteOffset, archive.length))
      },
    )
  }
}
