import type { LogLine } from '../../kernel/events.ts'
import { lastWritten } from '../../kernel/logs/last-written.ts'
import { controlSequences } from './sanitize.ts'
import { shortName } from './service-state.ts'
import { hasColour, type Paint, painter, type Style } from './terminal.ts'

/** The colours of services' names, in the order of the services. */
export const palette: readonly Style[] = ['cyan', 'magenta', 'green', 'yellow', 'blue', 'red']

const colour = /^\x1b\[[\d;:]*m$/

/** How lines are printed. */
export interface LineStyle {
  readonly paint: Paint
  /** Services' own colours are kept. */
  readonly keepsColour: boolean
  /** Names are written with their project. */
  readonly fullNames: boolean
}

/**
 * Returns the format of lines of these services for stdout, with the colours that it takes; `fullNames` as in
 * `LineStyle`.
 */
export function formatFor(keys: readonly string[], fullNames: boolean): LineFormat {
  const { stdout } = process
  return new LineFormat({ paint: painter(stdout), keepsColour: hasColour(stdout), fullNames }, keys)
}

/** Prints log lines as `name | text`, a colour for each service, the names in one column. */
export class LineFormat {
  readonly #look: LineStyle
  readonly #styles = new Map<string, Style>()
  readonly #width: number

  /** `keys`: of all services whose lines may come. */
  constructor(look: LineStyle, keys: readonly string[]) {
    this.#look = look
    for (const key of keys) this.#style(this.#name(key))
    this.#width = Math.max(0, ...[...this.#styles.keys()].map(name => name.length))
  }

  text(line: LogLine): string {
    const name = this.#name(line.service)
    const { paint, keepsColour } = this.#look
    return `${paint(this.#style(name), `${name.padEnd(this.#width)} |`)} ${sanitizeLogText(line.text, keepsColour)}`
  }

  #name(key: string): string {
    return this.#look.fullNames ? key : shortName(key)
  }

  #style(name: string): Style {
    const style = this.#styles.get(name) ?? palette[this.#styles.size % palette.length] ?? 'cyan'
    this.#styles.set(name, style)
    return style
  }
}

/** Returns the local time of a line, to the millisecond. */
export function formatTime(time: string): string {
  const local = new Date(time)
  const two = (number: number) => String(number).padStart(2, '0')
  const date = [local.getFullYear(), two(local.getMonth() + 1), two(local.getDate())].join('-')
  const clock = [local.getHours(), local.getMinutes(), local.getSeconds()].map(two).join(':')
  return `${date} ${clock}.${String(local.getMilliseconds()).padStart(3, '0')}`
}

/**
 * Removes what would change the terminal: a service's screen clearing, titles and cursor moves are not for the reader
 * of its logs. Of what was overwritten the last remains.
 */
export function sanitizeLogText(text: string, keepsColour: boolean): string {
  let isPainted = false
  const cleaned = lastWritten(text).replace(controlSequences, found => {
    if (!keepsColour || !colour.test(found)) return ''
    isPainted = true
    return found
  })
  return isPainted ? `${cleaned}\x1b[0m` : cleaned
}
