import type { IncomingMessage } from 'node:http'
import type { Duplex, Writable } from 'node:stream'
import type { Access } from './access.ts'

/** The requests of browsers that the API answers now; streams and terminals may take days. */
export class OpenRequests {
  readonly #access: Pick<Access, 'refuseStranger'>
  readonly #open = new Map<Writable | Duplex, IncomingMessage>()

  constructor(access: Pick<Access, 'refuseStranger'>) {
    this.#access = access
  }

  /** Adds a request, until its response or socket is closed. */
  add(request: IncomingMessage, answer: Writable | Duplex): void {
    this.#open.set(answer, request)
    answer.once('close', () => this.#open.delete(answer))
  }

  /** Disconnects those whose session is not valid any more. */
  closeStrangers(): void {
    for (const [answer, { method = 'GET', headers }] of this.#open)
      if (this.#access.refuseStranger({ method, headers, isUpgrade: false }) !== undefined) answer.destroy()
  }
}
