import { stripVTControlCharacters } from 'node:util'
import type { LocaldEvent, ServiceView } from '../../kernel/events.ts'
import { formatDuration } from './humanize.ts'
import { formatInferred } from './inferred.ts'
import { sanitizeLine } from './sanitize.ts'
import { isAsExpected, isSettled, type Namer, stateOf, styleOf } from './service-state.ts'
import { isLive, type Out, type Paint, painter } from './terminal.ts'

/** Shows the states of services while they change; `end` leaves the last state on the screen. */
export interface Progress {
  show(event: LocaldEvent): void
  end(): void
}

interface Line {
  readonly name: string
  state: string
  view?: ServiceView
  /** The current step within its state. */
  step?: string | undefined
  startedMs?: number | undefined
  /** How long it took to be ready. */
  tookMs?: number | undefined
}

const frames = ['-', '\\', '|', '/']
const frameMs = 120
/** Columns names are padded to before the longest is known. */
const nameWidth = 8

/** Returns progress for stderr: lines redrawn in place on a terminal, else one plain line for each change. */
export function progressOn(
  stream: Out & { columns?: number; rows?: number },
  verbose: boolean,
  nameOf: Namer,
): Progress {
  const board = new Board(painter(stream), nameOf)
  return isLive() && !verbose ? new LiveProgress(stream, board) : new PlainProgress(stream, board, verbose)
}

/** The lines of services, by key, and their texts. */
class Board {
  readonly lines = new Map<string, Line>()
  readonly #paint: Paint
  #nameOf: Namer

  constructor(paint: Paint, nameOf: Namer) {
    this.#paint = paint
    this.#nameOf = nameOf
  }

  /** Applies an event; returns the line that it changed. */
  apply(event: LocaldEvent): Line | undefined {
    // Services of several projects: all have names with their project.
    if (event.event === 'project' && event.neededBy !== undefined) this.#nameOf = key => key
    if (event.event === 'service') return this.#service(event.service)
    if (event.event !== 'step') return undefined
    const line = this.#line(event.key)
    line.state ||= 'starting'
    const { progress } = event
    const part =
      progress === undefined || progress.total <= 0 ? '' : ` ${formatPercent(progress.done / progress.total)}`
    if (line.step === event.text + part) return undefined
    line.step = event.text + part
    return line
  }

  /** `web      ready      https://…  1.2s` */
  text(line: Line, mark: string): string {
    const width = Math.max(nameWidth, ...[...this.lines.values()].map(each => each.name.length))
    const isReady = line.state === 'ready'
    const given = line.view === undefined || isAsExpected(line.view) ? undefined : line.view.reason
    // "web  waiting  for db", "seed  exited  with code 0": the state is the first word of the reason.
    const isRepeated = line.state === 'waiting' || line.state === 'exited'
    const reason = isRepeated ? given?.replace(/^(?:waiting (?=for )|exited (?=with ))/, '') : given
    const parts = [
      `${mark} ${line.name.padEnd(width)} ${this.#paint(styleOf(line.state), line.state.padEnd(9))}`,
      sanitizeLine(line.step ?? reason ?? (isReady ? line.view?.url : undefined) ?? ''),
      isReady && line.tookMs !== undefined ? this.#paint('gray', formatDuration(line.tookMs)) : '',
    ]
    return parts
      .filter(part => part !== '')
      .join('  ')
      .trimEnd()
  }

  warning(event: Extract<LocaldEvent, { event: 'warning' }>): string {
    const name = event.key === undefined ? '' : this.#nameOf(event.key)
    const whose = name === '' || event.message.startsWith(`${name} `) ? '' : `${name}: `
    const hint = event.hint === undefined ? '' : ` (${event.hint})`
    return `  ${this.#paint('yellow', 'warning')} ${sanitizeLine(`${whose}${event.message}${hint}`)}`
  }

  #service(view: ServiceView): Line | undefined {
    const line = this.#line(view.key)
    const state = stateOf(view)
    // That it waits is worth a line once it is known for what.
    const isNews =
      (state !== line.state && (state !== 'waiting' || view.reason !== null)) ||
      (!isAsExpected(view) && view.reason !== (line.view?.reason ?? null))
    if (isSettled(view)) line.startedMs = undefined
    if (state === 'starting') line.startedMs ??= Date.now()
    else line.step = undefined
    if (state === 'ready' && line.state !== 'ready' && line.startedMs !== undefined) {
      line.tookMs = Date.now() - line.startedMs
      line.startedMs = undefined
    }
    line.state = state
    line.view = view
    return isNews ? line : undefined
  }

  #line(key: string): Line {
    const line = this.lines.get(key) ?? { name: this.#nameOf(key), state: '' }
    this.lines.set(key, line)
    return line
  }
}

class PlainProgress implements Progress {
  readonly #stream: Out
  readonly #board: Board
  readonly #verbose: boolean

  constructor(stream: Out, board: Board, verbose: boolean) {
    this.#stream = stream
    this.#board = board
    this.#verbose = verbose
  }

  show(event: LocaldEvent): void {
    if (event.event === 'warning') this.#stream.write(`${this.#board.warning(event)}\n`)
    const inferred = formatInferred(event)
    if (inferred.length > 0) this.#stream.write(`${inferred.join('\n')}\n`)
    if (event.event === 'project' && this.#verbose) {
      this.#stream.write(`  ${sanitizeLine(`${event.project}: ${event.path} (${event.domain})`)}\n`)
    }
    const before = event.event === 'step' ? this.#board.lines.get(event.key)?.step : undefined
    const line = this.#board.apply(event)
    if (line === undefined) return
    // A step's percentages are for a line that is redrawn.
    if (!this.#verbose && event.event === 'step' && before?.startsWith(event.text)) return
    this.#stream.write(`${this.#board.text(line, ' ')}\n`)
  }

  end(): void {}
}

class LiveProgress implements Progress {
  readonly #stream: Out & { columns?: number; rows?: number }
  readonly #board: Board
  #drawn = 0
  #frame = 0
  #timer: NodeJS.Timeout | undefined

  constructor(stream: Out & { columns?: number; rows?: number }, board: Board) {
    this.#stream = stream
    this.#board = board
  }

  show(event: LocaldEvent): void {
    const inferred = formatInferred(event)
    if (event.event === 'warning') this.#draw(this.#board.warning(event))
    else if (inferred.length > 0) this.#draw(inferred.join('\n'))
    else if (this.#board.apply(event) !== undefined) this.#draw()
    this.#spin()
  }

  end(): void {
    clearInterval(this.#timer)
    this.#timer = undefined
    this.#draw()
    this.#drawn = 0
  }

  /** Turns the spinner only while a service changes. */
  #spin(): void {
    const isBusy = [...this.#board.lines.values()].some(isMoving)
    if (isBusy) {
      this.#timer ??= setInterval(() => {
        this.#frame++
        this.#draw()
      }, frameMs).unref()
    } else {
      clearInterval(this.#timer)
      this.#timer = undefined
    }
  }

  /**
   * Redraws the lines in one write; `above` stays on the screen over them. Lines are cut: a wrapped one cannot be
   * redrawn.
   */
  #draw(above?: string): void {
    // Some terminals say that they have no size.
    const columns = this.#stream.columns || 80
    const rows = this.#stream.rows || 24
    const lines = [...this.#board.lines.values()].slice(-Math.max(1, rows - 2))
    const mark = frames[this.#frame % frames.length] ?? ''
    const texts = lines.map(line => cut(this.#board.text(line, isMoving(line) ? mark : ' '), columns - 1))
    const up = this.#drawn > 0 ? `\x1b[${this.#drawn}A` : ''
    // It may wrap onto lines that are not redrawn: all of them are cleared first.
    const head = above === undefined ? '' : `\x1b[J${above}\n`
    this.#stream.write(`${up}\r${head}${texts.map(text => `\x1b[2K${text}\n`).join('')}\x1b[J`)
    this.#drawn = texts.length
  }
}

function isMoving(line: Line): boolean {
  return line.state.endsWith('ing')
}

function formatPercent(part: number): string {
  return `${Math.floor(Math.min(1, Math.max(0, part)) * 100)}%`
}

/** Cuts to a width on the screen, colours not counted. */
function cut(text: string, width: number): string {
  const plain = stripVTControlCharacters(text)
  return plain.length <= width ? text : plain.slice(0, Math.max(0, width))
}
