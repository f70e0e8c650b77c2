import { LocaldError } from '../../kernel/errors.ts'
import type { LocaldEvent } from '../../kernel/events.ts'
import type { KeysAnswer, ResetBody } from '../../kernel/protocol.ts'
import type { Context } from '../context.ts'
import { type Client, need } from '../daemon/client.ts'
import { conclude, follow } from '../follow/operation.ts'
import { agrees, declined } from '../output/prompt.ts'
import { isWatched, print, say } from '../output/terminal.ts'

/** `locald service reset`: what the service keeps is removed. On a terminal it asks first. */
export async function serviceReset(context: Context): Promise<number> {
  const { words, json, cwd, paths } = context
  const [service] = words.names
  if (service === undefined) throw new LocaldError('USAGE', 'locald service reset SERVICE')
  const body: ResetBody = { path: cwd, service }
  const doing = 'resetting a service'
  const daemon = await need(paths)
  // A script knows what it does.
  const asks = isWatched() && !json && !words.flags.has('yes')
  if (asks && !(await isMeant(daemon, body))) {
    say('Nothing was changed')
    return declined
  }
  const stream = daemon.stream<LocaldEvent>({ method: 'POST', path: '/v1/services/reset', body, doing })
  const done = await follow(context, stream, { doing })
  if (done.ok && !json) print(`Reset ${service}`)
  return conclude(context, done)
}

/** Asks about the service as it is found, with its project. A service that is not there is told before. */
async function isMeant(daemon: Client, { path, service }: ResetBody): Promise<boolean> {
  const { keys } = await daemon.get<KeysAnswer>('/v1/services/keys', { path, service })
  return await agrees(`Remove the data of ${keys.join(', ')} and start it empty?`)
}
