import type { ServiceView } from '../../kernel/events.ts'

const labels = '123456789abcdefghijklmnopqrstuvwxyz'

/** A choice of one service by a key, on one line. */
export class Menu {
  readonly #question: string
  readonly #services: readonly ServiceView[]
  readonly #nameOf: (key: string) => string
  readonly #choose: (view: ServiceView | undefined) => void

  /** @param choose called with the service, or with undefined for any other key */
  constructor(
    question: string,
    services: readonly ServiceView[],
    nameOf: (key: string) => string,
    choose: (view: ServiceView | undefined) => void,
  ) {
    this.#question = question
    this.#services = services.slice(0, labels.length)
    this.#nameOf = nameOf
    this.#choose = choose
  }

  get text(): string {
    const choices = this.#services.map(({ key }, index) => `${labels[index]} ${this.#nameOf(key)}`)
    return `${this.#question} ${choices.join('  ')}`
  }

  press(key: string): void {
    const index = key.length === 1 ? labels.indexOf(key) : -1
    this.#choose(this.#services[index])
  }
}
