import type { WhyAnswer } from '../../kernel/protocol.ts'
import type { Context } from '../context.ts'
import type { Client } from '../daemon/client.ts'
import { formatChanges } from '../output/changes.ts'
import { stateOf } from '../output/service-state.ts'
import { painter } from '../output/terminal.ts'
import type { DoneEvent, MoreLines } from './operation.ts'

/** So many services are explained, and so many causes of each shown: `locald why` has the rest. */
const mostServices = 3
const mostCauses = 3

/** Returns the likely causes of services that failed first: those that failed because of them have no own. */
export async function likelyCauses({ cwd }: Context, daemon: Client, done: DoneEvent): Promise<MoreLines> {
  const failed = done.services.filter(view => ['failed', 'unhealthy', 'restarting'].includes(stateOf(view)))
  const paint = painter(process.stderr)
  const lines = new Map<string, readonly string[]>()
  for (const { key, path } of failed) {
    if (lines.size === mostServices) break
    // What failed is reported in any case.
    const answer = await daemon.get<WhyAnswer>('/v1/services/why', { path, service: key }).catch(() => undefined)
    if (answer === undefined || (answer.tree?.causes ?? []).length > 0) continue
    const changes = formatChanges(answer, { paint, cwd, most: mostCauses })
    if (changes.length > 0) lines.set(key, changes)
  }
  return lines
}
