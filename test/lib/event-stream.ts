import { get, type IncomingMessage } from 'node:http'

/** An event of `GET /v1/stream`. */
export interface StreamEvent {
  readonly topic: string
  readonly id: string
  readonly values: readonly unknown[]
}

export interface StreamOptions {
  readonly socket: string
  /** The query without `?`. */
  readonly query: string
  /** Sent as `Last-Event-ID`. */
  readonly after?: string | undefined
}

/** A client of `GET /v1/stream` on the daemon's socket. */
export class EventStream {
  readonly #response: IncomingMessage
  #rest = ''

  private constructor(response: IncomingMessage) {
    this.#response = response.setEncoding('utf8')
  }

  static async open({ socket, query, after }: StreamOptions): Promise<EventStream> {
    const headers = after === undefined ? {} : { 'last-event-id': after }
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      get({ socketPath: socket, path: `/v1/stream?${query}`, headers, agent: false }, resolve).on('error', reject)
    })
    if (response.statusCode !== 200) throw new Error(`the stream answered ${response.statusCode}`)
    return new EventStream(response)
  }

  /** Yields events until the connection is closed, by either side. */
  async *events(): AsyncGenerator<StreamEvent> {
    try {
      for await (const chunk of this.#response) {
        this.#rest += chunk
        const blocks = this.#rest.split('\n\n')
        this.#rest = blocks.pop() ?? ''
        for (const block of blocks) if (!block.startsWith(':')) yield parse(block)
      }
    } catch {
      // Cut.
    }
  }

  /** Stops reading until the connection is cut. */
  pause(): void {
    this.#response.pause()
  }

  close(): void {
    this.#response.destroy()
  }
}

function parse(block: string): StreamEvent {
  const field = (name: string) =>
    block
      .split('\n')
      .find(line => line.startsWith(`${name}: `))
      ?.slice(name.length + 2) ?? ''
  return { topic: field('event'), id: field('id'), values: [JSON.parse(field('data'))].flat() }
}
