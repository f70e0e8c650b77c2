import type { ServiceView } from '../../kernel/events.ts'
import type { TerminalNote } from '../../kernel/protocol.ts'
import type { Context } from '../context.ts'
import type { Client } from '../daemon/client.ts'
import { printStderr } from '../output/terminal.ts'
import { Terminal } from '../screen/terminal.ts'
import { Connection } from './connection.ts'
import { Input } from './input.ts'
import { Model } from './model.ts'
import { AttachedScreen } from './screen.ts'
import { ServiceWatch } from './service-watch.ts'

/** Between two frames, ms. */
const frameMs = 20
/** How long a message is shown, ms. */
const messageMs = 4000
/** The daemon takes no larger size. */
const mostCells = 1000
const leaveHint = 'Ctrl-] leaves'

/** This terminal as a service's: what is typed goes to the service, and what that shows is shown. */
export class Attachment {
  readonly #name: string
  readonly #model: Model
  readonly #screen: AttachedScreen
  readonly #terminal: Terminal
  readonly #connection: Connection
  readonly #watch: ServiceWatch
  readonly #input: Input
  #hasScreen = false
  #isSkipping = false
  #frame: NodeJS.Timeout | undefined
  #lastMs = Number.NEGATIVE_INFINITY
  #message: NodeJS.Timeout | undefined

  static async of(context: Context, view: ServiceView): Promise<Attachment> {
    return new Attachment(context, view, await Model.create(sizeOf(process.stdout)))
  }

  private constructor({ paths }: Context, view: ServiceView, model: Model) {
    const { name, key, path } = view
    this.#name = name
    this.#model = model
    this.#screen = new AttachedScreen(model)
    this.#watch = new ServiceWatch(paths, view)
    this.#connection = new Connection(paths, { path, key }, sizeOf(process.stdout), {
      note: note => this.#note(note),
      bytes: bytes => this.#show(bytes),
      lost: () => this.#lose(),
    })
    this.#input = new Input(name, {
      type: bytes => this.#connection.type(bytes),
      typed: () => this.#say(undefined),
      explain: text => this.#say(`${text} · ${leaveHint}`),
    })
    this.#terminal = new Terminal({
      enter: () => this.#screen.enter(this.#terminal.columns, this.#terminal.rows),
      leave: () => this.#screen.leave(this.#terminal.columns, this.#terminal.rows),
      read: bytes => this.#input.read(bytes),
      redraw: () => this.#resize(),
    })
  }

  /** Shows the terminal until Ctrl-], or until the service stops. The result is the exit code. */
  async run(daemon: Client): Promise<number> {
    const name = this.#name
    printStderr(`Attached to ${name}; press Ctrl-] to leave`)
    this.#say(`Attached to ${name} · ${leaveHint}`)
    this.#terminal.open()
    const connecting = this.#connection.run()
    try {
      const end = await Promise.race([this.#input.left, this.#watch.run(daemon), connecting])
      await this.#model.settled()
      this.#close()
      printStderr(end ?? `Detached from ${name}`)
      return 0
    } finally {
      this.#close()
      await connecting.catch(() => undefined)
    }
  }

  #close(): void {
    clearTimeout(this.#frame)
    clearTimeout(this.#message)
    this.#watch.close()
    this.#connection.close()
    this.#terminal.close()
  }

  #note(note: TerminalNote): void {
    if ('notice' in note) this.#say(note.notice)
    else if ('size' in note) this.#model.resize(...note.size)
    else if ('input' in note) this.#input.set(note.input ? 'open' : 'stopped')
    else {
      const { cols, rows, input, pipes } = note.screen
      this.#model.clear()
      this.#model.resize(cols, rows)
      this.#isSkipping = this.#hasScreen
      // The message of a lost connection.
      if (this.#hasScreen) this.#say(undefined)
      this.#hasScreen = true
      this.#input.set(input ? 'open' : pipes === true ? 'none' : 'stopped')
      if (pipes === true) this.#say(`${this.#name} has no terminal: nothing can be typed · ${leaveHint}`)
    }
    this.#draw()
  }

  async #show(bytes: Uint8Array): Promise<void> {
    await this.#model.write(bytes)
    // The lines above a screen that is shown again were printed before.
    if (this.#isSkipping) this.#model.skipScrolled()
    this.#isSkipping = false
    this.#draw()
  }

  #lose(): void {
    this.#input.set('waits')
    this.#say(`Lost connection to the daemon; reconnecting · ${leaveHint}`)
  }

  #resize(): void {
    this.#connection.resize(sizeOf(process.stdout))
    this.#screen.forget()
    this.#draw()
  }

  /** Shows a message for a while; undefined: removes it. */
  #say(text: string | undefined): void {
    if (text === undefined && this.#screen.message === undefined) return
    this.#screen.message = text
    clearTimeout(this.#message)
    if (text !== undefined) this.#message = setTimeout(() => this.#say(undefined), messageMs)
    this.#draw()
  }

  #draw(): void {
    if (this.#frame !== undefined) return
    const waitMs = Math.max(0, this.#lastMs + frameMs - performance.now())
    this.#frame = setTimeout(() => {
      this.#frame = undefined
      this.#lastMs = performance.now()
      const { columns, rows } = this.#terminal
      if (this.#hasScreen) this.#terminal.write(this.#screen.frame(columns, rows))
    }, waitMs)
  }
}

function sizeOf({ columns, rows }: { columns?: number; rows?: number }): readonly [number, number] {
  return [Math.min(columns || 80, mostCells), Math.min(rows || 24, mostCells)]
}
