import { LogBuffer } from './log-buffer.ts'
import { LogSearch } from './log-search.ts'
import { LogView } from './log-view.ts'

/** Lines of a log, a search in them, and which of them are shown. */
export class Log {
  readonly buffer: LogBuffer
  readonly search: LogSearch
  readonly view: LogView

  /** @param keepsColour whether services' own colours are shown */
  constructor(keepsColour: boolean) {
    this.buffer = new LogBuffer(keepsColour)
    this.search = new LogSearch(this.buffer)
    this.view = new LogView(this.buffer, this.search)
  }

  /** Forgets all lines. */
  clear(): void {
    this.buffer.clear()
    this.search.current = undefined
    this.search.reset()
    this.view.follow()
  }
}
