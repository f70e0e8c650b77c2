import { constants } from 'node:os'
import type {
  Exit,
  Instance,
  InstanceEvent,
  LogSink,
  ProcessInfo,
  ProcessTable,
  ProcessTree,
} from '../../kernel/plugin.ts'
import { readExit } from './exit.ts'
import { type KeeperEvent, KeeperLink } from './link.ts'

/** What a later daemon needs to find a held process again. */
export interface HeldState {
  readonly socket: string
  readonly exitFile: string
  readonly tree: ProcessTree
  /** Start tokens of the keeper and the main process. */
  readonly keeperStart: string
  readonly mainStart: string
}

/** What an instance is made of. */
export interface HeldInput {
  /** None: it has ended, and its exit record tells how. */
  readonly link: KeeperLink | undefined
  readonly state: HeldState
  readonly log: LogSink
  readonly table: ProcessTable
}

/** A process that a keeper holds. */
export class HeldProcess implements Instance {
  readonly pid: number
  readonly startedMs: number
  readonly exited: Promise<Exit>
  readonly state: HeldState
  #link: KeeperLink | undefined
  readonly #table: ProcessTable
  readonly #past: InstanceEvent[] = []
  readonly #listeners = new Set<(event: InstanceEvent) => void>()
  readonly #log: LogSink
  #main: Exit | undefined
  #followed = false

  constructor({ link, state, log, table }: HeldInput) {
    this.pid = state.tree.pid
    this.startedMs = state.tree.startedMs
    this.state = state
    this.#table = table
    this.#log = log
    this.exited = this.#end(link)
    const off = log.onFollowed(now => {
      this.#followed = now
      if (now) this.#link?.send('poke')
    })
    void this.exited.then(() => {
      off()
      log.changed()
    })
  }

  get tree(): ProcessTree {
    return this.state.tree
  }

  on(listener: (event: InstanceEvent) => void): () => void {
    for (const event of this.#past) listener(event)
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  async stop({ signal, graceMs }: { signal: string; graceMs: number }): Promise<void> {
    // What is seen now can be ended even if the keeper itself is killed in between.
    const seen = await this.#table.members(this.tree)
    this.#link?.send(`stop ${signalNumber(signal)} ${graceMs}`)
    await this.exited
    await this.#sweep(seen)
  }

  finish(): void {
    this.#link?.send('finish')
  }

  #hear(event: KeeperEvent): void {
    if (event.event === 'notify') {
      this.#tell({
        event: 'notify',
        ready: event['ready'] === true,
        stopping: event['stopping'] === true,
        status: typeof event['status'] === 'string' ? event['status'] : null,
        pid: typeof event['pid'] === 'number' ? event['pid'] : 0,
      })
    } else if (event.event === 'main') {
      this.#main = exitOf(event)
      this.#tell({ event: 'main', exit: this.#main, left: typeof event['left'] === 'number' ? event['left'] : 0 })
    } else if (event.event === 'state') this.#catchUp(event)
    else if (event.event === 'log') {
      // Armed again first: what is written from now on is told anew. The keeper tells once of a write, when asked; it is asked
      // only while somebody reads along.
      if (this.#followed) this.#link?.send('poke')
      this.#log.changed()
    }
  }

  /** A keeper's own account after this daemon has found it: what happened before is told as events. */
  #catchUp(event: KeeperEvent): void {
    const { main, notify, left } = event
    if (isRecord(notify) && notify['ready'] === true) {
      const status = typeof notify['status'] === 'string' ? notify['status'] : null
      this.#tell({ event: 'notify', ready: true, stopping: false, status, pid: Number(notify['pid'] ?? 0) })
    }
    if (isRecord(main)) {
      this.#main = exitOf(main)
      this.#tell({ event: 'main', exit: this.#main, left: typeof left === 'number' ? left : 0 })
    }
  }

  #tell(event: InstanceEvent): void {
    this.#past.push(event)
    if (this.#past.length > 100) this.#past.splice(0, 1)
    for (const listener of [...this.#listeners]) listener(event)
  }

  /** The keeper's word, else its exit record; a keeper that was killed leaves neither: what it held is swept. */
  async #end(first: KeeperLink | undefined): Promise<Exit> {
    for (let link = first; link !== undefined; link = await KeeperLink.open(this.state.socket)) {
      this.#link = link
      link.on(event => this.#hear(event))
      // After a lost connection: what happened meanwhile.
      if (link !== first) link.send('state')
      if (this.#followed) link.send('poke')
      const event = await link.next('exit')
      if (event !== undefined) return exitOf(event)
    }
    this.#link = undefined
    const recorded = await readExit(this.state.exitFile)
    if (recorded !== undefined) return recorded
    await this.#sweep([])
    return this.#main ?? { code: null, signal: 'SIGKILL' }
  }

  async #sweep(seen: readonly ProcessInfo[]): Promise<void> {
    if ((await this.#table.start(this.tree.keeper)) === this.state.keeperStart) return
    const main = { pid: this.pid, ppid: this.tree.keeper, start: this.state.mainStart }
    await this.#table.sweep(this.tree, [main, ...seen])
  }
}

function exitOf(event: Readonly<Record<string, unknown>>): Exit {
  const { code, signal } = event
  return { code: typeof code === 'number' ? code : null, signal: typeof signal === 'string' ? signal : null }
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null
}

/** The platform's number of a signal; SIGTERM's for an unknown name. */
export function signalNumber(name: string): number {
  return new Map<string, number>(Object.entries(constants.signals)).get(name) ?? constants.signals.SIGTERM
}
