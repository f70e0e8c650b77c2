import { LocaldError, messageOf } from '../../kernel/errors.ts'
import type { Client } from '../daemon/client.ts'
import type { Messages } from './message.ts'

/** Asks the daemon for something, and says how it went in the last line. */
export class Attempts {
  readonly #messages: Messages
  readonly #daemon: () => Client | undefined

  /** @param daemon returns the daemon; undefined while there is none */
  constructor(messages: Messages, daemon: () => Client | undefined) {
    this.#messages = messages
    this.#daemon = daemon
  }

  /** Says what has begun, and the result of `act`, if any, or its error. */
  async run(begun: string | undefined, act: (daemon: Client) => Promise<string | undefined>): Promise<void> {
    const daemon = this.#daemon()
    if (daemon === undefined) {
      this.#messages.show('The daemon is not running. Run `locald up` in the folder of a project.', { isError: true })
      return
    }
    if (begun !== undefined) this.#messages.show(begun, { stays: true })
    try {
      const text = await act(daemon)
      if (text !== undefined) this.#messages.show(text)
    } catch (error) {
      const [message] = messageOf(error).split('\n')
      const hint = LocaldError.is(error) && error.hint !== undefined ? ` · ${error.hint}` : ''
      this.#messages.show(`${message}${hint}`, { isError: true })
    }
  }
}
