import type { WhyAnswer } from '../../kernel/protocol.ts'
import { dayTime } from './day-time.ts'
import { sanitizeLogText } from './log-format.ts'
import type { Paint } from './terminal.ts'

/** How changes are shown. */
export interface ChangesOptions {
  readonly paint: Paint
  /** The folder of the caller: commands of another one are preceded by that. */
  readonly cwd: string
  /** How many are shown; default: all. */
  readonly most?: number
}

/**
 * Formats what may have caused a state, most likely first: each a line, with the command that shows or undoes it below.
 * Returns no lines for a healthy service.
 */
export function formatChanges(answer: WhyAnswer, { paint, cwd, most }: ChangesOptions): readonly string[] {
  const { changes = [], wellAt, folder } = answer
  if (changes.length === 0) return []
  const shown = changes.slice(0, most)
  const left = changes.length - shown.length
  const isElsewhere = folder !== undefined && folder !== cwd && shown.some(({ command }) => command !== null)
  const place = isElsewhere ? ` (commands are for ${sanitizeLogText(folder, false)})` : ''
  return [
    `${headOf(wellAt)}${place}:`,
    ...shown.flatMap(({ text, command }, index) => [
      `${index + 1}. ${sanitizeLogText(text, false)}`,
      ...(command === null ? [] : [`   ${paint('cyan', `$ ${sanitizeLogText(command, false)}`)}`]),
    ]),
    ...(left === 0 ? [] : [paint('gray', `${left} more in \`locald why ${nameIn(answer)}\``)]),
  ]
}

function headOf(wellAt: string | null | undefined): string {
  return wellAt == null ? 'likely causes' : `likely causes (it was last healthy at ${dayTime(new Date(wellAt))})`
}

function nameIn({ key, tree }: WhyAnswer): string {
  return tree?.name ?? key
}
