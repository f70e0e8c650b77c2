import type { WhyAnswer, WhyStep } from '../../kernel/protocol.ts'
import { sanitizeLogText } from './log-format.ts'
import type { Paint } from './terminal.ts'

/** Returns the answers that no other answer has as a cause: together they print each service, dependents first. */
export function selectRoots(answers: readonly WhyAnswer[]): readonly WhyAnswer[] {
  const causes = new Set(answers.flatMap(({ tree }) => (tree === undefined ? [] : keysBelow(tree))))
  return answers.filter(({ key }) => !causes.has(key))
}

function keysBelow(step: WhyStep): readonly string[] {
  return step.causes.flatMap(cause => [cause.key, ...keysBelow(cause)])
}

/**
 * Formats why a service is in its state: the account in one line, then what it depends on as a tree, each with its last
 * lines. Refers to the services in `printed`, to which it adds those of the tree, instead of printing them twice.
 */
export function formatWhy({ text, because, tree }: WhyAnswer, paint: Paint, printed = new Set<string>()): string {
  // Daemons of earlier versions answer without the tree.
  if (tree === undefined) return [text, ...because.filter(step => step !== text).map(step => `  ${step}`)].join('\n')
  const head = tree.status === 'failed' && tree.causes.length > 0 ? describe(tree, '') : text
  return [
    head,
    ...formatDetails(tree, [], paint).map(line => `  ${line}`),
    ...formatCauses(tree, { path: [], head, paint, printed }),
  ].join('\n')
}

interface Place {
  /** The names of the services above. */
  readonly path: readonly string[]
  readonly head: string
  readonly paint: Paint
  readonly printed: Set<string>
}

function formatCauses(step: WhyStep, place: Place): readonly string[] {
  const { head, paint, printed } = place
  const path = [...place.path, step.name]
  return step.causes.flatMap((cause, index) => {
    const isLast = index === step.causes.length - 1
    const wasPrinted = printed.has(cause.key)
    printed.add(cause.key)
    const lines = wasPrinted
      ? [`${describe({ ...cause, reason: null, causes: [] }, '')} (see above)`]
      : [
          describe(cause, head),
          ...formatDetails(cause, path, paint).map(line => `  ${line}`),
          ...formatCauses(cause, { ...place, path }),
        ]
    return lines.map((line, at) => `${at === 0 ? (isLast ? '└─ ' : '├─ ') : isLast ? '   ' : '│  '}${line}`)
  })
}

/** Returns a service's state and its reason, which is left out where the head has it. */
function describe({ name, status, health, reason, causes }: WhyStep, head: string): string {
  if (status === 'waiting' && causes.length > 0) return `${name} is waiting for ${causes.map(it => it.name).join(', ')}`
  if (status === 'exited' && reason !== null) return `${name} ${reason}`
  const state = status === 'failed' ? 'failed' : `is ${status === 'running' ? (health ?? status) : status}`
  const why = reason ?? causes.map(cause => describe({ ...cause, reason: null, causes: [] }, '')).join(', ')
  return why === '' || head.includes(why) ? `${name} ${state}` : `${name} ${state}: ${why}`
}

/** Returns what else is known of a service, its last lines, and its dependents apart from those above it. */
function formatDetails(
  { facts, lines, dependents }: WhyStep,
  above: readonly string[],
  paint: Paint,
): readonly string[] {
  const others = dependents.filter(name => !above.includes(name))
  return [
    ...facts,
    ...lines.map(line => paint('gray', `| ${sanitizeLogText(line, false)}`)),
    ...(others.length === 0 ? [] : [`dependents: ${others.join(', ')}`]),
  ]
}
