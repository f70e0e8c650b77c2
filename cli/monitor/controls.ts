import { fit } from '../screen/glyphs.ts'
import { nameOf, viewsOf } from './actions.ts'
import { copySequence } from './clipboard.ts'
import type { ControlParts } from './control-parts.ts'
import { type Controls, helpLines, requestHelpLines } from './keymap.ts'
import { LogControls } from './log-controls.ts'
import type { Row } from './model/services.ts'
import type { Hint } from './panes/bars.ts'
import { Page } from './panes/page.ts'

/** Columns of the keys in the help. */
const keyColumns = 11

/** Does what the keys say with the state. */
export class StateControls implements Controls {
  readonly #parts: ControlParts
  readonly #log: LogControls

  constructor(parts: ControlParts) {
    this.#parts = parts
    this.#log = new LogControls(parts)
  }

  moveUp(): void {
    this.#move(-1)
  }

  moveDown(): void {
    this.#move(1)
  }

  pageUp(): void {
    this.#scroll(-1)
  }

  pageDown(): void {
    this.#scroll(1)
  }

  goToStart(): void {
    const { state } = this.#parts
    if (state.page !== undefined) state.page.scroll(Number.NEGATIVE_INFINITY)
    else if (this.#isInLog) state.log.goToStart()
    else this.#select(Number.NEGATIVE_INFINITY)
  }

  goToEnd(): void {
    const { state } = this.#parts
    if (state.page !== undefined) state.page.scroll(state.page.lines.length)
    else if (this.#isInLog || (state.pane === 'log' && !state.log.isFollowing)) this.follow()
    else this.#select(Number.POSITIVE_INFINITY)
  }

  follow(): void {
    const { state } = this.#parts
    state.closeHistory()
    state.search.current = undefined
    state.log.follow()
  }

  switchPane(): void {
    const { state } = this.#parts
    state.focus = state.focus === 'list' && !state.isZoomed ? 'log' : 'list'
    state.isZoomed = false
  }

  zoom(): void {
    const { state } = this.#parts
    state.isZoomed = !state.isZoomed
  }

  goBack(): void {
    const { state } = this.#parts
    if (state.page !== undefined) state.page = undefined
    else if (state.isInRequests && state.requests.filter !== '') state.requests.filter = ''
    else if (state.pane === 'log' && state.history !== undefined) state.closeHistory()
    else if (state.pane === 'log' && state.search.isOn) state.search.set('')
    else if (state.isZoomed) state.isZoomed = false
    else {
      state.focus = 'list'
      state.pane = 'log'
    }
    this.#parts.messages.clear()
  }

  search(): void {
    this.#log.search()
  }

  filter(): void {
    this.#log.filter()
  }

  findOlder(): void {
    this.#log.findOlder()
  }

  findNewer(): void {
    this.#log.findNewer()
  }

  showRequests(): void {
    const { state } = this.#parts
    state.page = undefined
    state.pane = state.pane === 'log' ? 'requests' : 'log'
    state.focus = state.pane === 'requests' ? 'log' : 'list'
  }

  toggleAll(): void {
    const { state } = this.#parts
    state.showsAll = !state.showsAll
  }

  restart(): void {
    this.#act(row => this.#parts.actions.restart(row))
  }

  startOrStop(): void {
    this.#act(row => this.#parts.actions.startOrStop(row))
  }

  openUrl(): void {
    const { messages, actions } = this.#parts
    this.#act(async row => {
      if (urlOf(row) === undefined) messages.show(`${nameOf(row)} has no URL`)
      else await actions.open(row)
    })
  }

  explain(): void {
    const { state, actions, theme } = this.#parts
    if (state.page?.title.startsWith('why ')) {
      state.page = undefined
      return
    }
    this.#act(async row => {
      const lines = await actions.explain(row, theme.paints)
      if (lines !== undefined) state.page = new Page(`why ${nameOf(row)}`, lines)
    })
  }

  copyLines(): void {
    const { state } = this.#parts
    if (state.page !== undefined) {
      this.#copy(`${state.page.lines.map(line => line.map(({ text }) => text).join('')).join('\n')}\n`, 'the text')
      return
    }
    this.#log.copyLines()
  }

  copyUrl(): void {
    const { selected } = this.#parts.state
    const url = selected === undefined ? undefined : urlOf(selected)
    if (url !== undefined) this.#copy(url, url)
    else if (selected !== undefined) this.#parts.messages.show(`${nameOf(selected)} has no URL`)
  }

  help(): void {
    const { state, theme } = this.#parts
    if (state.page?.title === 'keys') {
      state.page = undefined
      return
    }
    const lineOf = ({ key, about }: Hint) => [
      { text: fit(key, keyColumns), style: theme.strong },
      { text: about, style: '' },
    ]
    const heading = [{ text: 'In the requests', style: theme.quiet }]
    state.page = new Page('keys', [...helpLines.map(lineOf), [], heading, ...requestHelpLines.map(lineOf)])
  }

  suspend(): void {
    this.#parts.suspend()
  }

  quit(): void {
    const { state } = this.#parts
    if (state.page !== undefined) state.page = undefined
    else this.#parts.quit()
  }

  get #isInLog(): boolean {
    const { focus, isZoomed } = this.#parts.state
    return focus === 'log' || isZoomed
  }

  #move(by: number): void {
    const { state, screen } = this.#parts
    if (state.page !== undefined) state.page.scroll(by)
    else if (this.#isInLog) state.log.scroll(by, screen.logSize(state))
    else this.#select(by)
  }

  #select(by: number): void {
    const { state } = this.#parts
    state.selection.move(state.services.rows(), by)
  }

  /** Scrolls the log by a page, whatever pane has the keys. */
  #scroll(direction: -1 | 1): void {
    const { state, screen } = this.#parts
    const size = screen.logSize(state)
    const by = direction * Math.max(1, size.rows - 1)
    if (state.page !== undefined) state.page.scroll(by)
    else if (state.pane === 'requests') state.requests.move(state.shownRequests, by)
    else state.log.scroll(by, size)
  }

  #copy(text: string, what: string): void {
    this.#parts.send(copySequence(text))
    this.#parts.messages.show(`Copied ${what}`)
  }

  #act(act: (row: Row) => Promise<void>): void {
    const { selected } = this.#parts.state
    if (selected !== undefined) void act(selected).then(() => this.#parts.redraw())
  }
}

/** Returns the URL of a service, or of the first one of a project that has one. */
function urlOf(row: Row): string | undefined {
  return viewsOf(row).find(({ url }) => url !== null)?.url ?? undefined
}
