import type { JSONRPCMessage, Transport } from '@modelcontextprotocol/server'
import { StdioServerTransport } from '@modelcontextprotocol/server/stdio'

/** So long a list of tools waits for those that services declare, ms. A slow daemon's come with a notification. */
const waitMs = 1000

/** Standard input and output, on which a request for the list of tools waits until all are registered. */
export class ToolsTransport implements Transport {
  onmessage?: Transport['onmessage']
  onclose?: Transport['onclose']
  onerror?: Transport['onerror']
  readonly #stdio = new StdioServerTransport()
  readonly #register: () => Promise<void>

  constructor(register: () => Promise<void>) {
    this.#register = register
  }

  async start(): Promise<void> {
    this.#stdio.onmessage = message => void this.#receive(message)
    this.#stdio.onclose = () => this.onclose?.()
    this.#stdio.onerror = error => this.onerror?.(error)
    await this.#stdio.start()
  }

  async send(message: JSONRPCMessage): Promise<void> {
    await this.#stdio.send(message)
  }

  async close(): Promise<void> {
    await this.#stdio.close()
  }

  /** Other messages go ahead: an answer with the client's folders may be among them. */
  async #receive(message: JSONRPCMessage): Promise<void> {
    if ('method' in message && message.method === 'tools/list') {
      const late = new Promise<void>(resolve => setTimeout(resolve, waitMs).unref())
      await Promise.race([this.#register().catch(() => undefined), late])
    }
    this.onmessage?.(message)
  }
}
