import type { DoctorAnswer } from '../../../kernel/protocol.ts'
import { type CommonArgs, defineTool } from '../tool.ts'

/** What is wrong with this machine. */
export const doctor = defineTool<CommonArgs>({
  name: 'doctor',
  title: 'Check this machine',
  description:
    'Checks this machine and the daemon: ports, certificates, container engines, disk. Returns only what failed or is a warning, each with its fix. Use it when several services fail for no reason of their own.',
  input: {},
  output: {
    ok: { type: 'boolean' },
    checks: {
      type: 'array',
      items: {
        type: 'object',
        properties: {
          ...{ id: { type: 'string' }, status: { type: 'string' }, severity: { type: 'string' } },
          ...{ summary: { type: 'string' }, fix: { type: ['string', 'null'] } },
        },
        required: ['id', 'status', 'summary'],
      },
    },
  },
  annotations: { readOnlyHint: true, destructiveHint: false, idempotentHint: true },
  async run(session) {
    const daemon = await session.daemon()
    const { ok, checks } = await daemon.get<DoctorAnswer>('/v1/doctor')
    const shown = checks.filter(({ status }) => status === 'fail' || status === 'warn')
    const head = `${checks.length} checks, ${shown.length === 0 ? 'none failed' : `${shown.length} failed or warn`}`
    return {
      head,
      facts: { ok },
      list: 'checks',
      items: shown.map(({ id, status, severity, summary, fix }) => ({
        text: `${status} (${severity}) ${id}: ${summary}${fix === null ? '' : `\n  fix: ${fix}`}`,
        data: { id, status, severity, summary, fix },
      })),
    }
  },
})
