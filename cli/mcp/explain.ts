import type { ServiceView } from '../../kernel/events.ts'
import type { WhyAnswer } from '../../kernel/protocol.ts'
import type { Client } from '../daemon/client.ts'
import { formatChanges } from '../output/changes.ts'
import { stateOf } from '../output/service-state.ts'
import type { Paint } from '../output/terminal.ts'
import { formatWhy, selectRoots } from '../output/why-tree.ts'

/** So many services are explained at once: the others fail for the same reasons, as a rule. */
const mostServices = 8
const mostCauses = 5

const paint: Paint = (_, text) => text

/** The schema of the list of explanations. */
export const explanationList = {
  explanations: {
    type: 'array',
    items: {
      type: 'object',
      properties: { service: { type: 'string' }, text: { type: 'string' } },
      required: ['service', 'text'],
    },
  },
} as const

/** A part of what there is to say about a service. */
export interface Explanation {
  readonly service: string
  readonly text: string
}

/** Whether a service is in a state that needs an explanation. */
export function isTroubled(view: ServiceView): boolean {
  return ['failed', 'unhealthy', 'restarting', 'waiting', 'starting', 'exited'].includes(stateOf(view))
}

/**
 * Explains services: what failed and why as a tree with the last lines, then the likely causes. One that failed because
 * of another is explained in the account of that one's dependents.
 */
export async function explain(daemon: Client, path: string, keys: readonly string[]): Promise<readonly Explanation[]> {
  const answers: WhyAnswer[] = []
  for (const service of keys.slice(0, mostServices)) {
    const found = await daemon.get<WhyAnswer>('/v1/services/why', { path, service }).catch(() => undefined)
    if (found !== undefined) answers.push(found)
  }
  const printed = new Set<string>()
  return selectRoots(answers).flatMap(answer => {
    const changes = causesOf(answer, answers).flatMap(each =>
      formatChanges(each, { paint, cwd: path, most: mostCauses }),
    )
    // Apart, as a long account is cut.
    const texts = [formatWhy(answer, paint, printed), changes.join('\n')]
    return texts.filter(text => text !== '').map(text => ({ service: answer.key, text }))
  })
}

/** Returns the answers about the services at the end of the chain: what happened to them is the cause. */
function causesOf(answer: WhyAnswer, answers: readonly WhyAnswer[]): readonly WhyAnswer[] {
  const { tree } = answer
  if (tree === undefined || tree.causes.length === 0) return [answer]
  const below = tree.causes.flatMap(({ key }) => answers.find(each => each.key === key) ?? [])
  return below.flatMap(each => causesOf(each, answers))
}
