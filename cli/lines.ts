import type { LogLine } from '../kernel/events.ts'
import type { Paint, Style } from './output.ts'
import { shortName } from './services.ts'

const palette: readonly Style[] = ['cyan', 'magenta', 'green', 'yellow', 'blue', 'red']

// ECMA-48: CSI sequences, strings (OSC, DCS, SOS, PM, APC) to their end, other escapes; then control characters (C0 and C1) but tab.
const controls =
  /\x1b\[[0-?]*[ -/]*[@-~]|\x1b[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\)?|\x1b[ -/]*[0-~]|\x9b[0-?]*[ -/]*[@-~]|[\x00-\x08\x0a-\x1f\x7f-\x9f]/g
const colour = /^\x1b\[[\d;:]*m$/

/** Prints log lines as `name | text`, a colour for each service. */
export class LineFormat {
  readonly #paint: Paint
  readonly #keepsColour: boolean
  readonly #fullNames: boolean
  readonly #styles = new Map<string, Style>()
  #width = 0

  /** `keepsColour`: services' own colours are kept. `fullNames`: names are written with their project. */
  constructor(paint: Paint, keepsColour: boolean, fullNames: boolean) {
    this.#paint = paint
    this.#keepsColour = keepsColour
    this.#fullNames = fullNames
  }

  text(line: LogLine): string {
    const name = this.#fullNames ? line.service : shortName(line.service)
    const style = this.#styles.get(name) ?? palette[this.#styles.size % palette.length] ?? 'cyan'
    this.#styles.set(name, style)
    this.#width = Math.max(this.#width, name.length)
    return `${this.#paint(style, `${name.padEnd(this.#width)} |`)} ${clean(line.text, this.#keepsColour)}`
  }
}

/**
 * Text that leaves the terminal as it was: a service's screen clearing, titles and cursor moves are not for the reader of
 * its logs. Of what was overwritten by carriage returns the last remains.
 */
export function clean(text: string, keepsColour: boolean): string {
  const shown = text.slice(text.replace(/\r+$/, '').lastIndexOf('\r') + 1)
  let isPainted = false
  const cleaned = shown.replace(controls, found => {
    if (!keepsColour || !colour.test(found)) return ''
    isPainted = true
    return found
  })
  return isPainted ? `${cleaned}\x1b[0m` : cleaned
}
