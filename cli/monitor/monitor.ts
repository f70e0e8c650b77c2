import type { LocaldEvent, ServiceView } from '../../kernel/events.ts'
import type { Context } from '../context.ts'
import type { Client } from '../daemon/client.ts'
import { sanitizeLine } from '../output/sanitize.ts'
import { hasColour } from '../output/terminal.ts'
import { Actions } from './actions.ts'
import { StateControls } from './controls.ts'
import { Connection } from './feeds/connection.ts'
import { LogFeed } from './feeds/log-feed.ts'
import { Frames } from './frames.ts'
import { actionOf } from './keymap.ts'
import { Messages } from './message.ts'
import { nextChange } from './model/uptime.ts'
import { themeFor } from './panes/theme.ts'
import { Screen } from './screen.ts'
import { State } from './state.ts'
import type { Key } from './terminal/keys.ts'
import { Terminal } from './terminal/terminal.ts'

/** `locald monitor` on a terminal, until it is quit. */
export class Monitor {
  readonly #state: State
  readonly #screen: Screen
  readonly #terminal: Terminal
  readonly #frames: Frames
  readonly #messages: Messages
  readonly #connection: Connection
  readonly #feed: LogFeed
  readonly #controls: StateControls
  #clock: NodeJS.Timeout | undefined
  #quit: () => void = () => {}

  constructor({ args, cwd, paths }: Pick<Context, 'args' | 'cwd' | 'paths'>) {
    const isColoured = hasColour(process.stdout)
    const theme = themeFor(isColoured)
    this.#state = new State(args.positionals, cwd, isColoured)
    this.#screen = new Screen(theme)
    this.#terminal = new Terminal({ pressed: key => this.#press(key), redraw: () => this.#frames.redraw() })
    this.#frames = new Frames({ draw: () => this.#draw(), write: text => this.#terminal.write(text) })
    this.#messages = new Messages(() => this.#frames.request())
    this.#connection = new Connection(paths, {
      found: views => this.#find(views),
      usage: views => this.#change(this.#state.services.applyUsage(views)),
      event: event => this.#apply(event),
      changed: () => this.#connect(),
    })
    this.#feed = new LogFeed({
      opened: () => this.#openLog(),
      lines: lines => {
        this.#state.search.add(this.#state.buffer.add(lines))
        this.#frames.request()
      },
      failed: message => {
        this.#state.logProblem = message
        this.#frames.request()
      },
    })
    this.#controls = new StateControls({
      state: this.#state,
      screen: this.#screen,
      actions: new Actions(this.#messages, () => this.#connection.daemon),
      messages: this.#messages,
      theme,
      redraw: () => this.#frames.request(),
      send: sequence => this.#terminal.write(sequence),
      suspend: () => this.#terminal.suspend(),
      quit: () => this.#quit(),
    })
  }

  /** Shows the screen until it is quit. */
  async run(daemon: Client | undefined): Promise<void> {
    const quit = new Promise<void>(resolve => {
      this.#quit = resolve
    })
    this.#terminal.open()
    try {
      this.#frames.redraw()
      await Promise.race([quit, this.#connection.run(daemon)])
    } finally {
      clearTimeout(this.#clock)
      this.#connection.close()
      this.#feed.close()
      this.#frames.close()
      this.#messages.clear()
      this.#frames.close()
      this.#terminal.close()
    }
  }

  #press(key: Key): void {
    const { prompt } = this.#state
    if (prompt !== undefined) {
      const result = prompt.press(key)
      if (result !== 'typed') this.#state.prompt = undefined
      if (result !== 'done') this.#state.search.set(result === 'cancelled' ? '' : prompt.text)
      else this.#controls.find()
    } else if ('name' in key) {
      const action = actionOf(key.name)
      if (action === undefined) return
      this.#controls[action]()
    }
    this.#followLog()
    this.#frames.request()
  }

  #find(views: readonly ServiceView[]): void {
    this.#state.services.replace(views)
    this.#change(true)
  }

  #apply(event: LocaldEvent): void {
    if (event.event === 'warning') this.#messages.show(`Warning: ${sanitizeLine(event.message)}`, { isError: true })
    if (event.event === 'notice') this.#messages.show(sanitizeLine(event.message))
    const hasChanged = this.#state.services.apply(event)
    if (hasChanged && event.event === 'service') this.#connection.refresh()
    this.#change(hasChanged)
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
    this.#frames.request()
  }

  /** Follows the log of what is selected now. */
  #followLog(): void {
    this.#feed.follow(this.#state.logKeys)
  }

  #openLog(): void {
    const { buffer, search, log } = this.#state
    buffer.clear()
    search.current = undefined
    search.reset()
    log.follow()
    this.#state.logProblem = undefined
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

/** How often the time since the daemon was lost is drawn, ms. */
const lostStepMs = 1000
