import type { LocaldEvent, ServiceView } from '../../kernel/events.ts'
import type { Context } from '../context.ts'
import type { Client } from '../daemon/client.ts'
import { Connection } from '../follow/connection.ts'
import { sanitizeLine } from '../output/sanitize.ts'
import { hasColour } from '../output/terminal.ts'
import { nextChange } from '../output/uptime.ts'
import { Frames } from '../screen/frames.ts'
import { fullScreen } from '../screen/full-screen.ts'
import type { Key } from '../screen/keys.ts'
import type { Terminal } from '../screen/terminal.ts'
import { Actions } from './actions.ts'
import { Attempts } from './attempts.ts'
import type { ControlParts } from './control-parts.ts'
import { StateControls } from './controls.ts'
import { LogFeed } from './feeds/log-feed.ts'
import { RequestFeed } from './feeds/request-feed.ts'
import { actionOf, requestActionOf } from './keymap.ts'
import { Messages } from './message.ts'
import { themeFor } from './panes/theme.ts'
import { RequestControls } from './request-controls.ts'
import { Screen } from './screen.ts'
import { State } from './state.ts'

/** `locald monitor` on a terminal, until it is quit. */
export class Monitor {
  readonly #state: State
  readonly #screen: Screen
  readonly #terminal: Terminal
  readonly #frames: Frames
  readonly #messages: Messages
  readonly #connection: Connection
  readonly #feed: LogFeed
  readonly #requestFeed: RequestFeed
  readonly #controls: StateControls
  readonly #requestControls: RequestControls
  #clock: NodeJS.Timeout | undefined
  #quit: () => void = () => {}

  constructor({ args, cwd, paths }: Pick<Context, 'args' | 'cwd' | 'paths'>) {
    const isColoured = hasColour(process.stdout)
    const theme = themeFor(isColoured)
    this.#state = new State(args.positionals, cwd, isColoured)
    this.#screen = new Screen(theme)
    this.#terminal = fullScreen({ pressed: key => this.#press(key), redraw: () => this.#frames.redraw() })
    this.#frames = new Frames({ draw: () => this.#draw(), write: text => this.#terminal.write(text) })
    this.#messages = new Messages(() => this.#frames.request())
    this.#connection = new Connection(paths, {
      found: views => this.#find(views),
      usage: usage => this.#change(this.#state.services.applyUsage(usage)),
      event: event => this.#apply(event),
      changed: () => this.#connect(),
    })
    this.#feed = new LogFeed({
      opened: () => this.#openLog(),
      lines: lines => {
        const { buffer, search } = this.#state.live
        search.add(buffer.add(lines))
        this.#frames.request()
      },
      failed: message => {
        this.#state.logProblem = message
        this.#frames.request()
      },
    })
    this.#requestFeed = this.#followRequests()
    const daemon = () => this.#connection.daemon
    const attempts = new Attempts(this.#messages, daemon)
    const parts: ControlParts = {
      state: this.#state,
      screen: this.#screen,
      actions: new Actions(attempts),
      messages: this.#messages,
      theme,
      daemon,
      redraw: () => this.#frames.request(),
      send: sequence => this.#terminal.write(sequence),
      suspend: () => this.#terminal.suspend(),
      quit: () => this.#quit(),
    }
    this.#controls = new StateControls(parts)
    this.#requestControls = new RequestControls(parts, attempts)
  }

  /** Shows the screen until it is quit. */
  async run(daemon: Client | undefined): Promise<void> {
    const quit = new Promise<void>(resolve => {
      this.#quit = resolve
    })
    this.#state.daemon = daemon === undefined ? 'missing' : 'new'
    const slow = setTimeout(() => this.#showConnecting(), slowMs)
    this.#terminal.open()
    try {
      this.#frames.redraw()
      await Promise.race([quit, this.#connection.run(daemon)])
    } finally {
      clearTimeout(slow)
      clearTimeout(this.#clock)
      this.#connection.close()
      this.#feed.close()
      this.#requestFeed.close()
      this.#state.closeHistory()
      this.#frames.close()
      this.#messages.clear()
      this.#frames.close()
      this.#terminal.close()
    }
  }

  #showConnecting(): void {
    if (this.#state.daemon !== 'new') return
    this.#state.daemon = 'connecting'
    this.#frames.request()
  }

  #press(key: Key): void {
    const { prompt } = this.#state
    if (prompt !== undefined) {
      if (prompt.press(key) && this.#state.prompt === prompt) this.#state.prompt = undefined
    } else if ('name' in key) this.#act(key.name)
    this.#followLog()
    this.#requestFeed.isOn = this.#state.pane === 'requests'
    this.#frames.request()
  }

  #act(key: string): void {
    const { isInRequests, page, pane } = this.#state
    // From the list, too, what is seen is searched.
    const isTheirs = isInRequests || (key === '/' && pane === 'requests')
    const own = isTheirs ? requestActionOf(key, page !== undefined) : undefined
    if (own !== undefined) this.#requestControls[own]()
    else {
      const action = actionOf(key)
      if (action !== undefined) this.#controls[action]()
    }
  }

  #find(views: readonly ServiceView[]): void {
    this.#state.services.replace(views)
    this.#change(true)
  }

  #apply(event: LocaldEvent): void {
    if (event.event === 'warning') this.#messages.show(`Warning: ${sanitizeLine(event.message)}`, { isError: true })
    if (event.event === 'notice') this.#messages.show(sanitizeLine(event.message))
    this.#change(this.#state.services.apply(event))
  }

  #change(hasChanged: boolean): void {
    if (!hasChanged) return
    this.#followLog()
    this.#frames.request()
  }

  /** Applies that the daemon was found or lost. */
  #connect(): void {
    const { daemon, lostMs, problem } = this.#connection
    this.#state.daemon = daemon !== undefined ? 'found' : lostMs === undefined ? 'missing' : { lostMs }
    this.#state.daemonProblem = problem
    this.#feed.use(daemon)
    this.#requestFeed.use(daemon)
    this.#frames.request()
  }

  /** Follows the log of what is selected now. */
  #followLog(): void {
    this.#feed.follow(this.#state.logKeys)
  }

  #openLog(): void {
    this.#state.closeHistory()
    this.#state.live.clear()
    this.#state.logProblem = undefined
  }

  #followRequests(): RequestFeed {
    const { requests } = this.#state
    const redraw = () => this.#frames.request()
    return new RequestFeed({
      opened: () => {
        requests.clear()
        requests.problem = undefined
      },
      rows: rows => {
        requests.add(rows)
        redraw()
      },
      failed: message => {
        requests.problem = message
        redraw()
      },
    })
  }

  #draw(): ReturnType<Screen['draw']> {
    this.#scheduleClock()
    return this.#screen.draw(this.#state, this.#terminal.columns, this.#terminal.rows, this.#messages.current)
  }

  /** Draws again when a time on the screen has changed. */
  #scheduleClock(): void {
    clearTimeout(this.#clock)
    const waitMs =
      typeof this.#state.daemon === 'string' ? nextChange(this.#state.services.views, Date.now()) : lostStepMs
    if (waitMs !== undefined) this.#clock = setTimeout(() => this.#frames.request(), waitMs)
  }
}

/** After this the screen says that the daemon has not answered yet, ms. */
const slowMs = 200
/** How often the time since the daemon was lost is drawn, ms. */
const lostStepMs = 1000
