import { LocaldError } from '../../kernel/errors.ts'
import type { PortAnswer } from '../../kernel/protocol.ts'
import { parsePort } from '../args/values.ts'
import type { Context } from '../context.ts'
import { requireDaemon } from '../daemon/client.ts'
import { print, printJson, printStderr } from '../output/terminal.ts'

/** `locald port`: prints who listens on a port, and the command that helps. */
export async function port(context: Context): Promise<number> {
  const [word = ''] = context.args.positionals
  if (!/^\d+$/.test(word))
    throw new LocaldError('USAGE', `'${word}' is not a port`, {
      hint: 'Use a number, as in `locald port 3000`. Run `locald status` to see the ports of services.',
    })
  const number = parsePort('locald port', word)
  const daemon = await requireDaemon(context.paths)
  const answer = await daemon.get<PortAnswer>('/v1/ports', { port: number })
  if (context.json) {
    printJson(answer)
    return 0
  }
  print(describePort(answer))
  if (answer.hint !== null) printStderr(`Hint: ${answer.hint}`)
  return 0
}

function describePort({ port, kind, holder, service }: PortAnswer): string {
  const who = holder === null ? '' : `: ${holder}`
  if (kind === 'free') return `Port ${port} is free${service === null ? '' : `; it is assigned to ${service}`}`
  if (kind === 'service') return `Port ${port} is in use by the service ${service}${who}`
  return `Port ${port} is in use by ${holder ?? 'another process'}`
}
