import type { LogLine } from '../../../../../kernel/events.ts'
import { keys } from '../../state/services.ts'
import { nameClass } from '../../state/words.ts'

/** A line as it is drawn; made once, as lines are drawn often. */
export interface Shown {
  /** Its place among all lines. */
  readonly id: number
  readonly time: string
  /** The time of day. */
  readonly at: string
  readonly service: string
  /** The class of the service's name. */
  readonly name: string
  /** Without colours and other control sequences. */
  readonly text: string
  readonly error: boolean
}

const clock = new Intl.DateTimeFormat('en-GB', { timeStyle: 'medium' })
/** Beyond it a line is cut: it is drawn in one row. */
const longest = 2000

/** Returns a line as it is drawn. */
export function shownLine({ time, service, text }: LogLine, id: number): Shown {
  const plain = plainText(text.slice(0, longest))
  const error = /\b(?:error|fatal|panic|exception|traceback)\b/i.test(plain.slice(0, 300))
  return {
    id,
    time,
    at: clock.format(new Date(time)),
    service,
    name: nameClass(service, keys.peek()),
    text: plain,
    error,
  }
}

/** Whether a value of the topic `logs` is one. */
export function isLine(value: unknown): value is LogLine {
  return typeof value === 'object' && value !== null && 'text' in value && 'service' in value
}

function plainText(text: string): string {
  return text.replace(
    /\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_])|[\x00-\x08\x0b-\x1f\x7f]/g,
    '',
  )
}
