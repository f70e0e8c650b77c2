import { type AwilixContainer, asFunction, asValue, createContainer } from 'awilix'
import { LocaldError } from './errors.ts'
import type { Services } from './plugin.ts'
import type { Teardown } from './teardown.ts'

/** Service providers by name, made at first use, closed in reverse order of their making. */
export class Container {
  readonly #awilix: AwilixContainer<Services>
  readonly #teardown: Teardown
  readonly #owners = new Map<string, string>()

  constructor(teardown: Teardown) {
    this.#awilix = createContainer<Services>({ injectionMode: 'PROXY', strict: true })
    this.#teardown = teardown
  }

  /** All services, each made when it is first read. Reading a name that nobody provides throws. */
  get use(): Services {
    return this.#awilix.cradle
  }

  has(name: string): boolean {
    return this.#awilix.hasRegistration(name)
  }

  /** A service if somebody provides it. */
  optional<K extends keyof Services>(name: K): Services[K] | undefined {
    return this.has(name) ? this.#awilix.resolve<Services[K]>(name) : undefined
  }

  value<K extends keyof Services>(name: K, it: Services[K]): void {
    this.#owners.set(name, 'kernel')
    this.#awilix.register(name, asValue(it))
  }

  /** Throws PLUGIN_CONFLICT when the name is taken. */
  refuseTwice(owner: string, name: string): void {
    const holder = this.#owners.get(name)
    if (holder === undefined) return
    throw new LocaldError('PLUGIN_CONFLICT', `plugin ${owner} provides '${name}', which ${holder} provides already`, {
      plugin: owner,
    })
  }

  /** Adds a plugin's provider; PLUGIN_CONFLICT when the name is taken. */
  provide<K extends keyof Services>(
    owner: string,
    name: K,
    make: (use: Services) => Services[K],
    close?: (it: Services[K]) => Promise<void>,
  ): void {
    this.refuseTwice(owner, name)
    this.#owners.set(name, owner)
    this.#awilix.register(
      name,
      asFunction((use: Services) => {
        const it = make(use)
        if (close !== undefined) this.#teardown.add(owner, () => close(it))
        return it
      }).singleton(),
    )
  }
}
