import type { LogLine } from '../../kernel/events.ts'
import { copySequence, formatLines } from './clipboard.ts'
import type { ControlParts } from './control-parts.ts'
import { History } from './feeds/history.ts'
import { Prompt } from './prompt.ts'

/** Lines that `y` copies. */
const copiedLines = 50

/** Searches and copies lines of the log that is shown. */
export class LogControls {
  readonly #parts: ControlParts

  constructor(parts: ControlParts) {
    this.#parts = parts
  }

  search(): void {
    const { state } = this.#parts
    state.page = undefined
    state.prompt = new Prompt('/', {
      changed: text => {
        state.closeHistory()
        state.live.search.set(text)
      },
      done: () => this.findOlder(),
    })
  }

  filter(): void {
    const { state, messages } = this.#parts
    if (!state.search.isOn) messages.show('Search with / first; & then shows only lines with the text')
    else if (state.history !== undefined) messages.show('Press f first: & filters the newest lines')
    else state.search.isFilter = !state.search.isFilter
  }

  /** Goes to the next older line with the text, which may be older than those that the monitor holds. */
  findOlder(): void {
    const { state, messages } = this.#parts
    if (!state.live.search.isOn) messages.show('Search with / first')
    else if (state.history !== undefined) state.history.older()
    else if (!this.#step(-1)) this.#searchHistory()
  }

  findNewer(): void {
    const { state, messages } = this.#parts
    const { search, view } = state.live
    if (!search.isOn) messages.show('Search with / first')
    else if (state.history?.newer() === true) return
    else if (state.history !== undefined) {
      state.closeHistory()
      search.current = undefined
      view.goToStart()
      if (!this.#step(1, state.live.buffer.first)) view.follow()
    } else if (!this.#step(1)) messages.show(`No newer line with “${search.term}”`)
  }

  copyLines(): void {
    const { state, messages, send } = this.#parts
    const found = state.search.current === undefined ? undefined : state.buffer.get(state.search.current)
    const entries = found === undefined ? state.log.lastEntries(copiedLines) : [found]
    const what = found !== undefined ? 'the line' : entries.length === 1 ? '1 line' : `${entries.length} lines`
    if (entries.length === 0) messages.show('There is no line to copy')
    else {
      send(copySequence(formatLines(entries)))
      messages.show(`Copied ${what}`)
    }
  }

  /** Goes to the next line with the text among the newest ones; returns whether there is one. */
  #step(direction: -1 | 1, from?: number): boolean {
    const { state, screen } = this.#parts
    const { search, view } = state.live
    const id = search.step(direction, from ?? view.bottomId)
    if (id !== undefined) view.goTo(id, screen.logSize(state))
    return id !== undefined
  }

  #searchHistory(): void {
    const { state, screen, messages, daemon, redraw } = this.#parts
    const { live, logKeys: keys } = state
    const { term } = live.search
    const found = daemon()
    if (found === undefined || keys.length === 0) {
      messages.show(`No older line with “${term}”`)
      return
    }
    const { keepsColour } = state
    const until = live.buffer.get(live.buffer.first)?.time
    const isKnown = (line: LogLine) => live.buffer.has(line)
    const history = new History(
      { daemon: found, keys, term, until, isKnown, keepsColour },
      {
        changed: redraw,
        reached: (log, id) => {
          log.search.current = id
          log.view.goTo(id, screen.logSize(state))
          redraw()
        },
        stopped: problem => {
          if (state.history !== history) return
          if (history.log === undefined) state.closeHistory()
          messages.show(problem ?? `No older line with “${term}”`, { isError: problem !== undefined })
        },
      },
    )
    state.history = history
    history.older()
  }
}
