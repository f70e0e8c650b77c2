import { LocaldError } from '../../kernel/errors.ts'
import type { ServiceView } from '../../kernel/events.ts'
import type { KeysQuery, StatusAnswer } from '../../kernel/protocol.ts'
import type { Context } from '../context.ts'
import { type Client, requireDaemon } from '../daemon/client.ts'
import { isSettled, stateOf } from '../output/service-state.ts'

/** `locald attach`: the terminal of a service in this one. */
export async function attach(context: Context): Promise<number> {
  const [name = ''] = context.args.positionals
  if (process.stdin.isTTY !== true || process.stdout.isTTY !== true || process.env['TERM'] === 'dumb') {
    throw new LocaldError('USAGE', 'attaching needs a terminal', {
      hint: `Run \`locald logs ${name} -f\` where there is none.`,
    })
  }
  const { Attachment, isForeground } = await import('../attach/index.ts')
  if (!isForeground()) {
    throw new LocaldError('USAGE', 'attaching needs the terminal, but runs in the background', {
      hint: 'Run it without `&`.',
    })
  }
  const daemon = await requireDaemon(context.paths)
  const attachment = await Attachment.of(context, await findRunning(daemon, context.cwd, name))
  return await attachment.run(daemon)
}

async function findRunning(daemon: Client, path: string, name: string): Promise<ServiceView> {
  const query = { path, service: [name] } satisfies KeysQuery
  const { services } = await daemon.get<StatusAnswer>('/v1/services', query)
  const [view, second] = services
  if (view === undefined || second !== undefined) {
    throw new LocaldError('USAGE', `'${name}' is not one service`, {
      hint: `Name one of them: ${services.map(({ name }) => name).join(', ')}.`,
    })
  }
  if (isSettled(view)) {
    throw new LocaldError('SERVICE_NOT_RUNNING', `service '${view.name}' is ${stateOf(view)}`, {
      hint: `Run \`locald up ${name}\` to start it, or \`locald logs ${name}\` to see its output.`,
    })
  }
  return view
}
