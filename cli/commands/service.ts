import { LocaldError } from '../../kernel/errors.ts'
import type { LocaldEvent } from '../../kernel/events.ts'
import type { KeysAnswer, ResetBody } from '../../kernel/protocol.ts'
import { detectAgent } from '../agent.ts'
import type { Context } from '../context.ts'
import { type Client, requireDaemon } from '../daemon/client.ts'
import { followOperation, reportOutcome } from '../follow/operation.ts'
import { confirm, declinedCode } from '../output/prompt.ts'
import { isInteractive, print, printStderr } from '../output/terminal.ts'

/** `locald service reset`: deletes the service's data. Asks first on a terminal. */
export async function serviceReset(context: Context): Promise<number> {
  const { args, json, cwd, paths } = context
  const [service] = args.positionals
  if (service === undefined) throw new LocaldError('USAGE', 'locald service reset SERVICE')
  const agent = args.flags.has('yes') ? undefined : detectAgent()
  if (agent !== undefined) {
    throw new LocaldError('USAGE', `resetting '${service}' deletes its data: ${agent} needs --yes for that`, {
      hint: `Ask the user, then run \`locald service reset ${service} --yes\`.`,
    })
  }
  const body: ResetBody = { path: cwd, service }
  const doing = 'resetting a service'
  const daemon = await requireDaemon(paths)
  const asks = isInteractive() && !json && !args.flags.has('yes')
  if (asks && !(await confirmReset(daemon, body))) {
    printStderr('Nothing was changed')
    return declinedCode
  }
  const stream = daemon.stream<LocaldEvent>({ method: 'POST', path: '/v1/services/reset', body, doing })
  const done = await followOperation(context, stream, { doing })
  if (done.ok && !json) print(`Reset ${service}`)
  return reportOutcome(context, done)
}

/** Asks about the service by its full key. Throws for an unknown service before it asks. */
async function confirmReset(daemon: Client, { path, service }: ResetBody): Promise<boolean> {
  const { keys } = await daemon.get<KeysAnswer>('/v1/services/keys', { path, service })
  return await confirm(`Delete the data of ${keys.join(', ')} and start it empty?`)
}
