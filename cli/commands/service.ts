import { LocaldError } from '../../kernel/errors.ts'
import type { LocaldEvent } from '../../kernel/events.ts'
import type { ResetBody } from '../../kernel/wire.ts'
import { need } from '../client.ts'
import type { Context } from '../context.ts'
import { conclude, follow } from '../follow.ts'
import { print } from '../output.ts'

/** `locald service reset`: what the service keeps is removed. */
export async function serviceReset(context: Context): Promise<number> {
  const [service] = context.words.names
  if (service === undefined) throw new LocaldError('USAGE', 'locald service reset SERVICE')
  const body: ResetBody = { path: context.cwd, service }
  const doing = 'resetting a service'
  const stream = (await need(context.paths)).stream<LocaldEvent>({
    method: 'POST',
    path: '/v1/services/reset',
    body,
    doing,
  })
  const done = await follow(context, stream, { doing })
  if (done.ok && !context.json) print(`Reset ${service}`)
  return conclude(context, done)
}
