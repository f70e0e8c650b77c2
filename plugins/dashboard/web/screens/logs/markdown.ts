import { shortName } from '../../state/words.ts'
import type { Row } from './row.ts'

/** Lines that are copied without a selection. */
export const copied = 50

/** Returns lines as a block of Markdown, for a chat or an agent. */
export function markdownOf(rows: readonly Row[]): string {
  const names = [...new Set(rows.map(({ service }) => service))]
  const width = Math.max(0, ...names.map(name => shortName(name).length))
  const prefix = ({ time, service }: Row) =>
    names.length > 1 ? `${time.slice(11, 23)} ${shortName(service).padEnd(width)} ` : `${time.slice(11, 23)} `
  const text = rows.map(row => `${prefix(row)}${row.plain}`).join('\n')
  // A fence longer than any in the text.
  const fence = '`'.repeat(Math.max(3, ...[...text.matchAll(/`+/g)].map(([run]) => run.length + 1)))
  const [first] = rows
  const day = first === undefined ? '' : `, ${first.time.slice(0, 10)} UTC`
  return `Last ${rows.length} lines of ${names.join(', ')}${day}:\n\n${fence}text\n${text}\n${fence}\n`
}

/** Returns the lines that are selected in the list, in order. */
export function selectedRows(rowAt: (number: number) => Row | undefined): readonly Row[] {
  const selection = getSelection()
  if (selection === null || selection.isCollapsed) return []
  return [...document.querySelectorAll<HTMLElement>('.logs .line')].flatMap(line =>
    selection.containsNode(line, true) ? (rowAt(Number(line.dataset['number'])) ?? []) : [],
  )
}
