import { connect, type Socket } from 'node:net'

/** An event from a keeper, one JSON object on each line. Fields are checked where they are read. */
export type KeeperEvent = Readonly<Record<string, unknown>> & { readonly event: string }

/** A keeper writes no longer line: UTF-16 units. */
const longestLine = 64 * 1024

/** A connection to a keeper's control socket: sends commands, receives events. */
export class KeeperConnection {
  readonly #socket: Socket
  readonly #listeners = new Set<(event: KeeperEvent) => void>()
  /** Events that arrived without a listener, for the first one. */
  #pending: KeeperEvent[] = []
  #rest = ''
  /** Resolves when the connection is closed. */
  readonly closed: Promise<void>

  constructor(socket: Socket) {
    this.#socket = socket
    socket.setEncoding('utf8')
    socket.on('data', (text: string) => this.#read(text))
    socket.on('error', () => socket.destroy())
    this.closed = new Promise(resolve => socket.once('close', () => resolve()))
    // An idle daemon may exit; services do not.
    socket.unref()
  }

  /** Connects to a keeper; undefined when nothing listens. */
  static open(path: string): Promise<KeeperConnection | undefined> {
    return new Promise(resolve => {
      const socket = connect(path)
      socket.once('connect', () => resolve(new KeeperConnection(socket)))
      socket.once('error', () => resolve(undefined))
    })
  }

  on(listener: (event: KeeperEvent) => void): () => void {
    this.#listeners.add(listener)
    // Not before this has returned: a listener may remove itself.
    queueMicrotask(() => {
      for (const event of this.#pending.splice(0)) this.#emit(event)
    })
    return () => this.#listeners.delete(listener)
  }

  send(command: string): void {
    if (!this.#socket.destroyed) this.#socket.write(`${command}\n`)
  }

  close(): void {
    this.#socket.destroy()
  }

  /** Returns the next event of one of these kinds; undefined when the connection closes first. */
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
    const events = lines.map(parseEvent)
    for (const event of events) {
      if (event === undefined) break
      this.#emit(event)
    }
    // The peer is not a keeper: its other lines cannot be trusted.
    if (this.#rest.length > longestLine || events.includes(undefined)) this.#socket.destroy()
  }

  #emit(event: KeeperEvent): void {
    if (this.#listeners.size === 0) this.#pending.push(event)
    for (const listener of [...this.#listeners]) listener(event)
  }
}

/** Parses a line of a keeper; undefined: it is none. */
export function parseEvent(line: string): KeeperEvent | undefined {
  try {
    const value: unknown = JSON.parse(line)
    if (typeof value !== 'object' || value === null || !('event' in value) || typeof value.event !== 'string')
      return undefined
    return { ...value, event: value.event }
  } catch {
    return undefined
  }
}
