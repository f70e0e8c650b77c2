import type { LocaldEvent } from '../../kernel/events.ts'
import type { WaitBody } from '../../kernel/protocol.ts'
import { flagValue } from '../args/parse.ts'
import { parseSeconds } from '../args/values.ts'
import type { Context } from '../context.ts'
import { requireDaemon } from '../daemon/client.ts'
import { followOperation, reportOutcome } from '../follow/operation.ts'

/** `locald wait`: 0 ready, 1 failed, 124 timed out. */
export async function wait(context: Context): Promise<number> {
  const { positionals } = context.args
  const body: WaitBody = {
    path: context.cwd,
    ...(positionals.length === 0 ? {} : { services: positionals }),
    timeoutMs: parseSeconds('--timeout', flagValue(context.args, 'timeout') ?? '60'),
  }
  const daemon = await requireDaemon(context.paths)
  const doing = 'waiting for services'
  const stream = daemon.stream<LocaldEvent>({ method: 'POST', path: '/v1/services/wait', body, doing })
  return reportOutcome(context, await followOperation(context, stream, { doing }))
}
