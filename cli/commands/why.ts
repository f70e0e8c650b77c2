import type { KeysAnswer, WhyAnswer } from '../../kernel/protocol.ts'
import type { Context } from '../context.ts'
import { requireDaemon } from '../daemon/client.ts'
import { formatChanges } from '../output/changes.ts'
import { painter, print, printJson } from '../output/terminal.ts'
import { formatWhy, selectRoots } from '../output/why-tree.ts'

/** `locald why`: explains the state of each selected service. */
export async function why(context: Context): Promise<number> {
  const daemon = await requireDaemon(context.paths)
  const path = context.cwd
  const { keys } = await daemon.get<KeysAnswer>('/v1/services/keys', { path, service: context.args.positionals })
  const paint = painter(process.stdout)
  const answers: WhyAnswer[] = []
  for (const service of keys) answers.push(await daemon.get<WhyAnswer>('/v1/services/why', { path, service }))
  if (context.json) for (const answer of answers) printJson(answer)
  const printed = new Set<string>()
  if (!context.json)
    for (const answer of selectRoots(answers)) {
      const changes = formatChanges(answer, { paint, cwd: path }).map(line => `  ${line}`)
      print([formatWhy(answer, paint, printed), ...changes].join('\n'))
    }
  return 0
}
