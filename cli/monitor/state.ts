import { LogBuffer } from './model/log-buffer.ts'
import { LogSearch } from './model/log-search.ts'
import { LogView } from './model/log-view.ts'
import { Selection } from './model/selection.ts'
import { type Row, Services } from './model/services.ts'
import type { Page } from './panes/page.ts'
import type { Prompt } from './prompt.ts'

/** Where the daemon is: found, not found yet, or lost at a time (ms of Date.now()). */
export type DaemonState = 'found' | 'missing' | { readonly lostMs: number }

/** What the screen is drawn from. */
export class State {
  readonly services: Services
  readonly selection: Selection
  readonly buffer: LogBuffer
  readonly search: LogSearch
  readonly log: LogView
  /** Names of the projects that are shown; none: all. */
  readonly projects: readonly string[]
  daemon: DaemonState = 'missing'
  /** Why no daemon could be started, or there is no log. */
  daemonProblem: string | undefined
  logProblem: string | undefined
  focus: 'list' | 'log' = 'list'
  isZoomed = false
  /** Whether the logs of all services are shown, not of the selected one. */
  showsAll = false
  page: Page | undefined
  prompt: Prompt | undefined

  constructor(projects: readonly string[], cwd: string, keepsColour: boolean) {
    this.projects = projects
    this.services = new Services(projects)
    this.selection = new Selection(cwd)
    this.buffer = new LogBuffer(keepsColour)
    this.search = new LogSearch(this.buffer)
    this.log = new LogView(this.buffer, this.search)
  }

  get selected(): Row | undefined {
    return this.selection.of(this.services.rows())
  }

  /** The keys of the services whose log is shown. */
  get logKeys(): readonly string[] {
    const { selected } = this
    if (this.showsAll) return this.services.views.map(({ key }) => key)
    if (selected?.kind === 'project') return selected.services.map(({ key }) => key)
    return selected === undefined ? [] : [selected.view.key]
  }
}
