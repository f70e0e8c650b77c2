import { markdownTable } from '../lib/markdown-table.ts'

/** What became of a recipe, as far as it came. Times in ms. */
export interface Result {
  readonly name: string
  /** Until `up` was done. */
  readyMs?: number
  /** Until its pages had been answered at their https names. */
  answeredMs?: number
  /** From a change of a file until the open page showed it; absent where there is nothing to change. */
  changedMs?: number
  /** Why it failed, or was not tried. */
  why?: string
  outcome: 'yes' | 'no' | 'not tried'
}

const whyLength = 200

/** Returns the table of all, and how many of those that were tried came up, answered and showed their change. */
export function summaryOf(results: readonly Result[]): string {
  const seconds = (ms: number | undefined) => (ms === undefined ? '-' : (ms / 1000).toFixed(1))
  const rows = results.map(({ name, outcome, readyMs, answeredMs, changedMs, why = '' }) => [
    ...[
      name,
      outcome,
      seconds(readyMs),
      seconds(answeredMs),
      seconds(changedMs),
      why.replace(/\s+/g, ' ').slice(0, whyLength),
    ],
  ])
  const tried = results.filter(({ outcome }) => outcome !== 'not tried')
  const good = tried.filter(({ outcome }) => outcome === 'yes')
  const table = markdownTable([['Project', 'Works', 'Ready, s', 'Answered, s', 'Changed, s', 'Why'], ...rows])
  return `${table}\n${good.length} of ${tried.length} work, ${results.length - tried.length} not tried`
}
