// The build without module loading: the other one reads a file-globbing library at every start.
import { type AwilixContainer, asFunction, asValue, createContainer } from 'awilix/browser'
import type { Services } from '../contract/plugin.ts'
import { LocaldError, messageOf } from '../errors.ts'
import type { Teardown } from './teardown.ts'

/** Service providers by name, made at first use, closed in reverse order of their making. */
export class Container {
  readonly #awilix: AwilixContainer<Services>
  readonly #teardown: Teardown
  readonly #owners = new Map<string, string>()
  /** All services, each made when it is first read. Reading a name that no plugin provides throws PLUGIN_NEEDS. */
  readonly use: Services

  constructor(teardown: Teardown) {
    this.#awilix = createContainer<Services>({ injectionMode: 'PROXY', strict: true })
    this.#teardown = teardown
    this.use = new Proxy(this.#awilix.cradle, {
      get: (services, name) => {
        if (typeof name === 'symbol' || this.has(name)) return Reflect.get(services, name)
        throw new LocaldError('PLUGIN_NEEDS', `no plugin provides '${name}'`, {
          hint: 'Run `locald plugins list` to see all plugins and their state.',
        })
      },
    })
  }

  has(name: string): boolean {
    return this.#owners.has(name)
  }

  /** Returns a service; undefined where no plugin provides it. */
  optional<K extends keyof Services>(name: K): Services[K] | undefined {
    return this.has(name) ? this.use[name] : undefined
  }

  value<K extends keyof Services>(name: K, it: Services[K]): void {
    this.#owners.set(name, 'kernel')
    this.#awilix.register(name, asValue(it))
  }

  /** Throws PLUGIN_CONFLICT when a plugin provides a name that is taken, or one name twice. */
  requireFree(owner: string, names: readonly string[]): void {
    const twice = names.find((name, index) => names.indexOf(name) !== index)
    if (twice !== undefined) {
      throw new LocaldError('PLUGIN_CONFLICT', `'${twice}' is provided twice`, { plugin: owner })
    }
    const taken = names.find(name => this.has(name))
    if (taken === undefined) return
    const holder = this.#owners.get(taken)
    throw new LocaldError('PLUGIN_CONFLICT', `'${taken}' is already provided by ${holder}`, { plugin: owner })
  }

  /** Adds a plugin's provider; PLUGIN_CONFLICT when the name is taken. */
  provide<K extends keyof Services>(
    owner: string,
    name: K,
    make: (use: Services) => Services[K],
    close?: (it: Services[K]) => Promise<void>,
  ): void {
    this.requireFree(owner, [name])
    this.#owners.set(name, owner)
    const provider = asFunction(() => {
      const it = makeService(owner, name, () => make(this.use))
      if (close !== undefined) this.#teardown.add(owner, () => close(it))
      return it
    })
    this.#awilix.register(name, provider.singleton())
  }
}

/** Makes a service. Throws PLUGIN_SETUP with the name of its plugin: the reader may be another plugin. */
function makeService<T>(owner: string, name: string, make: () => T): T {
  try {
    return make()
  } catch (error) {
    if (LocaldError.is(error) && error.plugin !== undefined) throw error
    throw new LocaldError('PLUGIN_SETUP', `plugin ${owner} cannot make '${name}': ${messageOf(error)}`, {
      plugin: owner,
      cause: error,
      ...(LocaldError.is(error) && error.hint !== undefined ? { hint: error.hint } : {}),
    })
  }
}
