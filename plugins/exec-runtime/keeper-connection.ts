import { connect, type Socket } from 'node:net'

/** What a keeper says, one JSON object a line. Fields are read where they are used. */
export type KeeperEvent = Readonly<Record<string, unknown>> & { readonly event: string }

/** More than a keeper ever writes in one line: UTF-16 units. */
const longestLine = 64 * 1024

/** A connection to a keeper's control socket: commands out, events in. */
export class KeeperConnection {
  readonly #socket: Socket
  readonly #listeners = new Set<(event: KeeperEvent) => void>()
  /** What came while nobody listened: for the next who does. */
  #pending: KeeperEvent[] = []
  #rest = ''
  /** Resolves when the connection is gone. */
  readonly closed: Promise<void>

  constructor(socket: Socket) {
    this.#socket = socket
    socket.setEncoding('utf8')
    socket.on('data', (text: string) => this.#read(text))
    socket.on('error', () => socket.destroy())
    this.closed = new Promise(resolve => socket.once('close', () => resolve()))
    // A daemon that has nothing else to do may end; services do not.
    socket.unref()
  }

  /** Connects to a keeper; undefined when nobody answers. */
  static open(path: string): Promise<KeeperConnection | undefined> {
    return new Promise(resolve => {
      const socket = connect(path)
      socket.once('connect', () => resolve(new KeeperConnection(socket)))
      socket.once('error', () => resolve(undefined))
    })
  }

  on(listener: (event: KeeperEvent) => void): () => void {
    this.#listeners.add(listener)
    for (const event of this.#pending.splice(0)) this.#emit(event)
    return () => this.#listeners.delete(listener)
  }

  send(command: string): void {
    if (!this.#socket.destroyed) this.#socket.write(`${command}\n`)
  }

  close(): void {
    this.#socket.destroy()
  }

  /** The next event of one of these kinds; undefined when the connection ends first. */
  next(...kinds: readonly string[]): Promise<KeeperEvent | undefined> {
    return new Promise(resolve => {
      const off = this.on(event => {
        if (!kinds.includes(event.event)) return
        off()
        resolve(event)
      })
      void this.closed.then(() => {
        off()
        resolve(undefined)
      })
    })
  }

  #read(text: string): void {
    const lines = (this.#rest + text).split('\n')
    this.#rest = lines.pop() ?? ''
    const events = lines.map(parse)
    for (const event of events) {
      if (event === undefined) break
      this.#emit(event)
    }
    // Not a keeper's words: what else it says is not to be trusted.
    if (this.#rest.length > longestLine || events.includes(undefined)) this.#socket.destroy()
  }

  #emit(event: KeeperEvent): void {
    if (this.#listeners.size === 0) this.#pending.push(event)
    for (const listener of [...this.#listeners]) listener(event)
  }
}

function parse(line: string): KeeperEvent | undefined {
  try {
    const value: unknown = JSON.parse(line)
    if (typeof value !== 'object' || value === null || !('event' in value) || typeof value.event !== 'string')
      return undefined
    return { ...value, event: value.event }
  } catch {
    return undefined
  }
}
