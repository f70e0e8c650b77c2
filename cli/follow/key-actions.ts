import { LocaldError, messageOf } from '../../kernel/errors.ts'
import type { LocaldEvent, ServiceView } from '../../kernel/events.ts'
import type { OpenAnswer, RestartBody, TargetBody } from '../../kernel/protocol.ts'
import { type Context, callerEnvironment } from '../context.ts'
import { type Client, requireDaemon, type Stream } from '../daemon/client.ts'
import { showUrl } from '../output/browser.ts'
import { formatError } from '../output/errors.ts'
import { isActive, namerFor } from '../output/service-state.ts'
import { printStderr } from '../output/terminal.ts'
import type { Gate } from './gate.ts'
import type { Keys } from './keys.ts'
import { Menu } from './menu.ts'
import type { FollowedServices } from './services.ts'

const help = [
  '? list keys · r restart · o open in the browser',
  'l show logs of one service · a attach to one',
  'Enter print an empty line · Ctrl-C stop',
]
const detachHelp = ' · d detach'

/** What keys act on. */
export interface KeyActionsInput {
  readonly context: Context
  readonly target: TargetBody
  readonly services: FollowedServices
  readonly canDetach: boolean
  /** Closed while a menu or another terminal is shown. */
  readonly gate: Gate
  /** Prints a line among those of the services. */
  say(text: string): void
  /** Prints only the lines of a service; undefined: of all. */
  showOnly(key: string | undefined): void
  /** Shows the terminal of a service until it is left. */
  openTerminal(daemon: Client, view: ServiceView): Promise<unknown>
}

/** What the keys of an attached `up` do, besides stopping and detaching. */
export class KeyActions {
  readonly #input: KeyActionsInput
  readonly #nameOf: (key: string) => string
  #menu: Menu | undefined
  /** The service whose logs are shown; undefined: all. */
  #chosen: string | undefined
  #isRestarting = false
  #restarting: Stream<LocaldEvent> | undefined

  constructor(input: KeyActionsInput) {
    this.#input = input
    this.#nameOf = namerFor(input.context.args)
  }

  /** Does what a key is for; returns whether it is for anything. */
  press(name: string, keys: Pick<Keys, 'pause' | 'resume'>): boolean {
    if (this.#menu !== undefined) {
      this.#menu.press(name)
      return true
    }
    const actions: Readonly<Record<string, () => void>> = {
      '?': () => this.#input.say(`${help.join('\n')}${this.#input.canDetach ? detachHelp : ''}`),
      enter: () => printStderr(''),
      escape: () => this.#choose(undefined),
      l: () => (this.#chosen === undefined ? this.#chooseLogs() : this.#choose(undefined)),
      a: () => this.#chooseTerminal(keys),
      o: () => void this.#attempt(() => this.#open()),
      r: () => void this.#attempt(() => this.#restart()),
    }
    const act = actions[name.length === 1 ? name.toLowerCase() : name]
    act?.()
    return act !== undefined
  }

  /** Follows a restart no longer. */
  close(): void {
    this.#restarting?.close()
  }

  #chooseLogs(): void {
    const { services } = this.#input
    if (services.views.length > 1) this.#ask('logs of (Esc: all):', services.views, view => this.#choose(view?.key))
    else this.#input.say('there is only one service')
  }

  #choose(key: string | undefined): void {
    if (key === this.#chosen) return
    this.#chosen = key
    this.#input.showOnly(key)
    this.#input.say(key === undefined ? 'logs of all services' : `logs of ${this.#nameOf(key)} only; l or Esc: all`)
  }

  #chooseTerminal(keys: Pick<Keys, 'pause' | 'resume'>): void {
    const running = this.#input.services.views.filter(isActive)
    const chosen = running.length === 1 ? running[0] : running.find(({ key }) => key === this.#chosen)
    const attach = (view: ServiceView | undefined) => {
      if (view !== undefined) void this.#attempt(() => this.#attach(view, keys))
    }
    if (chosen !== undefined) attach(chosen)
    else if (running.length === 0) this.#input.say('no service is running')
    else this.#ask('attach to (Esc: none):', running, attach)
  }

  async #attach(view: ServiceView, keys: Pick<Keys, 'pause' | 'resume'>): Promise<void> {
    const { gate, context, openTerminal } = this.#input
    gate.close()
    keys.pause()
    try {
      await openTerminal(await requireDaemon(context.paths), view)
    } finally {
      keys.resume()
      gate.open()
    }
  }

  #ask(question: string, services: readonly ServiceView[], choose: (view: ServiceView | undefined) => void): void {
    const { gate, say } = this.#input
    gate.close()
    this.#menu = new Menu(question, services, this.#nameOf, view => {
      this.#menu = undefined
      gate.open()
      choose(view)
    })
    say(this.#menu.text)
  }

  async #open(): Promise<void> {
    const { context, target, say } = this.#input
    const daemon = await requireDaemon(context.paths)
    const query = { path: target.path, service: this.#chosen }
    const answer = await daemon.get<OpenAnswer>('/v1/services/open', query)
    say(answer.url)
    await showUrl(answer)
  }

  /** Restarts what is followed; the events of its services are printed meanwhile. */
  async #restart(): Promise<void> {
    const { context, target, services, say } = this.#input
    if (this.#isRestarting) return say('a restart is running')
    this.#isRestarting = true
    const release = services.hold()
    try {
      say(`restarting ${this.#chosen === undefined ? 'all services' : this.#nameOf(this.#chosen)}`)
      const only = this.#chosen === undefined ? target.services : [this.#chosen]
      const body: RestartBody = {
        path: target.path,
        ...(only === undefined ? {} : { services: only }),
        env: callerEnvironment(),
      }
      await this.#followRestart(await requireDaemon(context.paths), body)
    } finally {
      release()
      this.#isRestarting = false
    }
  }

  async #followRestart(daemon: Client, body: RestartBody): Promise<void> {
    const doing = 'restarting services'
    this.#restarting = daemon.stream<LocaldEvent>({ method: 'POST', path: '/v1/projects/restart', body, doing })
    for await (const events of this.#restarting.batches) {
      for (const event of events) {
        if (event.event !== 'done') continue
        if (event.error !== undefined) this.#input.say(`restart failed: ${event.error.message}`)
        else this.#input.say(event.ok ? 'restarted' : 'restarted, but not all services are ready')
      }
    }
  }

  async #attempt(act: () => Promise<void>): Promise<void> {
    try {
      await act()
    } catch (error) {
      const text = LocaldError.is(error) ? formatError(error) : messageOf(error)
      for (const line of text.split('\n')) this.#input.say(line)
    }
  }
}
