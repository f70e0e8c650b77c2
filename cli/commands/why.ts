import type { KeysAnswer, WhyAnswer } from '../../kernel/protocol.ts'
import type { Context } from '../context.ts'
import { requireDaemon } from '../daemon/client.ts'
import { print, printJson } from '../output/terminal.ts'

/** `locald why`: of each service that is meant one causal account, its steps below. */
export async function why(context: Context): Promise<number> {
  const daemon = await requireDaemon(context.paths)
  const path = context.cwd
  const { keys } = await daemon.get<KeysAnswer>('/v1/services/keys', { path, service: context.args.positionals })
  for (const service of keys) {
    const answer = await daemon.get<WhyAnswer>('/v1/services/why', { path, service })
    if (context.json) printJson(answer)
    else
      print([answer.text, ...answer.because.filter(step => step !== answer.text).map(step => `  ${step}`)].join('\n'))
  }
  return 0
}
