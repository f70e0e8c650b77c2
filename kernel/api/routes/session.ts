import type { FastifyPluginAsync } from 'fastify'
import type { Kernel } from '../../kernel.ts'
import { reportSession } from '../session-report.ts'

/** Returns the route of the report for a bug. */
export function sessionRoutes(kernel: Kernel): FastifyPluginAsync {
  const zip = {
    description: 'A zip file',
    content: { 'application/zip': { schema: { type: 'string', format: 'binary' } } },
  }
  return async app => {
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
