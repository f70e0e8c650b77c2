import { LocaldError } from '../../kernel/errors.ts'
import { detectAgent } from '../agent.ts'
import type { Context } from '../context.ts'
import { findOrReviveDaemon } from '../daemon/client.ts'

/** `locald monitor`. Starts no daemon, unless services of a killed one may be running. */
export async function monitor(context: Context): Promise<number> {
  if (process.stdin.isTTY !== true || process.stdout.isTTY !== true || process.env['TERM'] === 'dumb') {
    throw new LocaldError('USAGE', 'locald monitor needs a terminal', {
      hint: 'Run `locald status` or `locald logs -f` where there is none.',
    })
  }
  const agent = detectAgent()
  if (agent !== undefined) {
    throw new LocaldError('USAGE', `locald monitor is for people, and ${agent} runs this command`, {
      hint: 'Run `locald status` and `locald logs`, or set LOCALD_AGENT=0.',
    })
  }
  const { isForeground, Monitor } = await import('../monitor/index.ts')
  if (!isForeground()) {
    throw new LocaldError('USAGE', 'locald monitor needs the terminal, but runs in the background', {
      hint: 'Run it without `&`.',
    })
  }
  const daemon = await findOrReviveDaemon(context.paths)
  await new Monitor(context).run(daemon)
  return 0
}
