import type { LocaldEvent } from '../../kernel/events.ts'
import type { WaitBody } from '../../kernel/protocol.ts'
import { flagValue } from '../args/parse.ts'
import { seconds } from '../args/values.ts'
import type { Context } from '../context.ts'
import { need } from '../daemon/client.ts'
import { conclude, follow } from '../follow/operation.ts'

/** `locald wait`: 0 ready, 1 failed, 124 timed out. */
export async function wait(context: Context): Promise<number> {
  const { names } = context.words
  const body: WaitBody = {
    path: context.cwd,
    ...(names.length === 0 ? {} : { services: names }),
    timeoutMs: seconds('--timeout', flagValue(context.words, 'timeout') ?? '60'),
  }
  const daemon = await need(context.paths)
  const doing = 'waiting for services'
  const stream = daemon.stream<LocaldEvent>({ method: 'POST', path: '/v1/services/wait', body, doing })
  return conclude(context, await follow(context, stream, { doing }))
}
