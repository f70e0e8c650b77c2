import { type Actions, nameOf, viewsOf } from './actions.ts'
import { copySequence, formatLines } from './clipboard.ts'
import { fit } from './grid/glyphs.ts'
import { type Controls, helpLines } from './keymap.ts'
import type { Messages } from './message.ts'
import type { Row } from './model/services.ts'
import { Page } from './panes/page.ts'
import type { Theme } from './panes/theme.ts'
import { Prompt } from './prompt.ts'
import type { Screen } from './screen.ts'
import type { State } from './state.ts'

/** Lines that `y` copies. */
const copiedLines = 50
/** Columns of the keys in the help. */
const keyColumns = 11

/** What the controls work with. */
export interface ControlParts {
  readonly state: State
  readonly screen: Screen
  readonly actions: Actions
  readonly messages: Messages
  readonly theme: Theme
  /** Draws the state, which has changed meanwhile. */
  redraw(): void
  /** Writes a sequence to the terminal that draws nothing. */
  send(sequence: string): void
  suspend(): void
  quit(): void
}

/** Does what the keys say with the state. */
export class StateControls implements Controls {
  readonly #parts: ControlParts

  constructor(parts: ControlParts) {
    this.#parts = parts
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
    else if (this.#isInLog || !state.log.isFollowing) this.follow()
    else this.#select(Number.POSITIVE_INFINITY)
  }

  follow(): void {
    const { state } = this.#parts
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
    else if (state.search.isOn) state.search.set('')
    else if (state.isZoomed) state.isZoomed = false
    else state.focus = 'list'
    this.#parts.messages.clear()
  }

  search(): void {
    this.#parts.state.page = undefined
    this.#parts.state.prompt = new Prompt('/')
  }

  /** Goes to the last line with the text that is searched for, from what is shown upwards. */
  find(): void {
    const { state, messages } = this.#parts
    const { term } = state.search
    if (term === '') return
    if (state.search.count.all === 0) messages.show(`No line contains “${term}”`)
    else this.findOlder()
  }

  filter(): void {
    const { state, messages } = this.#parts
    if (!state.search.isOn) messages.show('Search with / first; & then shows only lines with the text')
    else state.search.isFilter = !state.search.isFilter
  }

  findOlder(): void {
    this.#find(-1)
  }

  findNewer(): void {
    this.#find(1)
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
    const found = state.search.current === undefined ? undefined : state.buffer.get(state.search.current)
    const entries = found === undefined ? state.log.lastEntries(copiedLines) : [found]
    const what = found !== undefined ? 'the line' : entries.length === 1 ? '1 line' : `${entries.length} lines`
    if (entries.length === 0) this.#parts.messages.show('There is no line to copy')
    else this.#copy(formatLines(entries), what)
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
    const lines = helpLines.map(({ key, about }) => [
      { text: fit(key, keyColumns), style: theme.strong },
      { text: about, style: '' },
    ])
    state.page = new Page('keys', lines)
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
    else state.log.scroll(by, size)
  }

  #find(direction: -1 | 1): void {
    const { state, screen, messages } = this.#parts
    const id = state.search.step(direction, state.log.bottomId)
    if (id !== undefined) state.log.goTo(id, screen.logSize(state))
    else if (state.search.isOn)
      messages.show(`No ${direction < 0 ? 'older' : 'newer'} line with “${state.search.term}”`)
    else messages.show('Search with / first')
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
