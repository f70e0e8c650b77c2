import { LocaldError } from '../../kernel/errors.ts'
import type { EnvAnswer } from '../../kernel/protocol.ts'
import type { Context } from '../context.ts'
import { requireDaemon } from '../daemon/client.ts'
import { type Row, table } from '../output/table.ts'
import { painter, print, printJson, printStderr } from '../output/terminal.ts'

/** `locald env`: prints the environment of a service, each variable with what sets it. */
export async function env(context: Context): Promise<number> {
  const [service] = context.args.positionals
  if (service === undefined) throw new LocaldError('USAGE', 'locald env SERVICE')
  const reveal = context.args.flags.has('reveal')
  const daemon = await requireDaemon(context.paths)
  const answer = await daemon.get<EnvAnswer>('/v1/services/env', { path: context.cwd, service, reveal })
  if (context.json) {
    printJson(answer)
    return 0
  }
  // What the project sets comes first: a shell often has more variables than all else.
  const isOfShell = ({ from }: EnvAnswer['variables'][number]): number => Number(from.text === 'shell')
  const variables = answer.variables.toSorted((a, b) => isOfShell(a) - isOfShell(b))
  // The value is last: no row is padded to the length of a PATH.
  const rows = variables.map(({ name, value, secret, from, current }): Row => {
    const isMasked = secret && !reveal
    return {
      cells: [
        { text: current ? name : `${name} *` },
        { text: from.text, style: 'gray' },
        { text: value, ...(isMasked ? { style: 'gray' } : {}) },
      ],
    }
  })
  print(table(['NAME', 'FROM', 'VALUE'], rows, painter(process.stdout)))
  const isChanged = answer.variables.some(({ current }) => !current) || answer.removed.length > 0
  if (isChanged) printStderr(`Hint: Run \`locald restart ${service}\` to apply what has changed since its start.`)
  return 0
}
