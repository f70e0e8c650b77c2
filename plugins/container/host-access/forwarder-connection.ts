import type { Socket } from 'node:net'
import { createInterface } from 'node:readline'

/** The connection by which a forwarder learns its ports. See native/tunnel/README.md. */
export class ForwarderConnection {
  /** What the forwarder was started as. */
  readonly id: string
  readonly #socket: Socket
  readonly #changed: () => void
  #sent = 0
  #answered = 0
  #failure: string | undefined

  /** @param changed called at each answer, and once when the connection is closed */
  constructor(id: string, socket: Socket, changed: () => void) {
    this.id = id
    this.#socket = socket
    this.#changed = changed
    socket.on('error', () => socket.destroy())
    socket.once('end', () => socket.destroy())
    socket.once('close', () => changed())
    const lines = createInterface({ input: socket })
    lines.on('line', line => this.#take(line)).on('error', () => socket.destroy())
  }

  get isOpen(): boolean {
    return !this.#socket.destroyed
  }

  /** Whether it listens on the ports that were sent last, as far as `failure` does not say otherwise. */
  get isSettled(): boolean {
    return this.isOpen && this.#answered === this.#sent
  }

  /** The port on which it cannot listen, and the cause: the first one of the last list. */
  get failure(): string | undefined {
    return this.#failure
  }

  /** Makes it listen on these ports and on no others. */
  send(ports: readonly number[]): void {
    this.#sent++
    this.#socket.write(`${ports.join(' ')}\n`)
  }

  close(): void {
    this.#socket.destroy()
  }

  #take(line: string): void {
    this.#answered++
    const [, port, cause] = /^failed (\d{1,5}) (.{1,100})$/.exec(line) ?? []
    this.#failure = port === undefined ? undefined : `port ${port}: ${cause}`
    if (line !== 'listening' && port === undefined) this.#socket.destroy()
    else this.#changed()
  }
}
