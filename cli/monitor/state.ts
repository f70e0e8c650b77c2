import type { ExchangeView } from '../../plugins/proxy/provides.ts'
import type { History } from './feeds/history.ts'
import { Log } from './model/log.ts'
import type { LogBuffer } from './model/log-buffer.ts'
import type { LogSearch } from './model/log-search.ts'
import type { LogView } from './model/log-view.ts'
import { Requests } from './model/requests.ts'
import { Selection } from './model/selection.ts'
import { type Row, Services } from './model/services.ts'
import type { Page } from './panes/page.ts'
import type { Prompt } from './prompt.ts'

/** Where the daemon is: asked just now or a while ago, found, not found yet, or lost at a time (ms of Date.now()). */
export type DaemonState = 'new' | 'connecting' | 'found' | 'missing' | { readonly lostMs: number }

/** What the screen is drawn from. */
export class State {
  readonly services: Services
  readonly selection: Selection
  /** The newest lines of the log. */
  readonly live: Log
  readonly requests = new Requests()
  /** Names of the projects that are shown; none: all. */
  readonly projects: readonly string[]
  /** Whether services' own colours are shown. */
  readonly keepsColour: boolean
  daemon: DaemonState = 'new'
  /** Why no daemon could be started, or there is no log. */
  daemonProblem: string | undefined
  logProblem: string | undefined
  focus: 'list' | 'log' = 'list'
  isZoomed = false
  /** What is shown beside the list. */
  pane: 'log' | 'requests' = 'log'
  /** Whether the logs of all services are shown, not of the selected one. */
  showsAll = false
  /** The same for requests. */
  hasAllRequests = true
  /** The search in older lines. */
  history: History | undefined
  page: Page | undefined
  prompt: Prompt | undefined

  constructor(projects: readonly string[], cwd: string, keepsColour: boolean) {
    this.projects = projects
    this.keepsColour = keepsColour
    this.services = new Services(projects)
    this.selection = new Selection(cwd)
    this.live = new Log(keepsColour)
  }

  get selected(): Row | undefined {
    return this.selection.of(this.services.rows())
  }

  /** The keys of the services whose log is shown. */
  get logKeys(): readonly string[] {
    return this.showsAll ? this.services.views.map(({ key }) => key) : this.#selectedKeys
  }

  get buffer(): LogBuffer {
    return this.#shown.buffer
  }

  get search(): LogSearch {
    return this.#shown.search
  }

  get log(): LogView {
    return this.#shown.view
  }

  /** Shows the newest lines. */
  closeHistory(): void {
    this.history?.close()
    this.history = undefined
  }

  /** The requests that are shown, the oldest first. */
  get shownRequests(): readonly ExchangeView[] {
    if (this.hasAllRequests && this.projects.length === 0) return this.requests.shown(() => true)
    const keys = new Set(this.hasAllRequests ? this.services.views.map(({ key }) => key) : this.#selectedKeys)
    return this.requests.shown(({ service }) => service !== null && keys.has(service))
  }

  get selectedRequest(): ExchangeView | undefined {
    const shown = this.shownRequests
    return shown[this.requests.indexIn(shown)]
  }

  /** Whether keys are for the requests. */
  get isInRequests(): boolean {
    if (this.page !== undefined) return this.page.request !== undefined
    return this.pane === 'requests' && (this.focus === 'log' || this.isZoomed)
  }

  get #shown(): Log {
    return this.history?.log ?? this.live
  }

  get #selectedKeys(): readonly string[] {
    const { selected } = this
    if (selected?.kind === 'project') return selected.services.map(({ key }) => key)
    return selected === undefined ? [] : [selected.view.key]
  }
}
