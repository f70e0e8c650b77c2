import type { WhyAnswer } from '../../kernel/wire.ts'
import { need } from '../client.ts'
import type { Context } from '../context.ts'
import { print, printJson } from '../output.ts'

/** `locald why`: one causal account, its steps below. */
export async function why(context: Context): Promise<number> {
  const daemon = await need(context.paths)
  const answer = await daemon.get<WhyAnswer>('/v1/services/why', { path: context.cwd, service: context.words.names[0] })
  if (context.json) printJson(answer)
  else print([answer.text, ...answer.because.filter(step => step !== answer.text).map(step => `  ${step}`)].join('\n'))
  return 0
}
