import type { FastifyPluginAsync } from 'fastify'
import type {
  Check,
  Command,
  Folders,
  Hooks,
  Host,
  Log,
  PlatformFacts,
  ProjectSource,
  ServiceType,
} from '../contract/plugin.ts'
import { LocaldError } from '../errors.ts'
import type { Container } from './container.ts'
import type { Features } from './features.ts'
import { makeHooks } from './hooks.ts'
import type { Candidate } from './import.ts'
import * as declared from './validate.ts'

/** Something of the container that a plugin offers. `provide` puts it there. */
export interface Provision {
  readonly name: string
  provide(): void
}

/** One plugin's declarations while its set-up runs; taken over as a whole, or dropped. */
export interface Draft {
  readonly types: ServiceType<unknown>[]
  readonly sources: ProjectSource[]
  readonly checks: Check[]
  readonly commands: Command[]
  readonly routes: { readonly prefix: string; readonly plugin: FastifyPluginAsync }[]
  readonly provisions: Provision[]
  readonly closers: (() => Promise<void> | void)[]
  readonly hooks: Hooks
}

/** What hosts need of the kernel. */
export interface HostInput {
  readonly facts: PlatformFacts
  readonly folders: Folders
  readonly features: Features
  readonly container: Container
  readonly log: (owner: string) => Log
}

/** A plugin's host and what was declared with it. After `end`, declarations are refused and services may be used. */
export interface Declaring {
  readonly host: Host
  readonly draft: Draft
  end(): void
}

/** The host of one plugin. */
export function hostOf({ name, options }: Candidate, input: HostInput): Declaring {
  let open = true
  const gate = () => {
    if (open) return
    throw new LocaldError('PLUGIN_SETUP', `plugin ${name} declares something after its set-up`, {
      plugin: name,
      hint: 'Declarations belong into setup(), before it returns or its promise resolves.',
    })
  }
  const draft: Draft = {
    types: [],
    sources: [],
    checks: [],
    commands: [],
    routes: [],
    provisions: [],
    closers: [],
    hooks: makeHooks(gate),
  }
  const declare = <T extends unknown[]>(check: (...given: T) => void, add: (...given: T) => void) => {
    return (...given: T): void => {
      gate()
      check(...given)
      add(...given)
    }
  }
  const host: Host = {
    options,
    hooks: draft.hooks,
    platform: input.facts,
    folders: input.folders,
    log: input.log(name),
    use: new Proxy(input.container.use, {
      get(services, key) {
        if (!open) return Reflect.get(services, key)
        throw new LocaldError(
          'PLUGIN_SETUP',
          `it uses '${String(key)}' in setup(); that is for hooks, drivers and routes`,
          {
            plugin: name,
          },
        )
      },
    }),
    service: declare(declared.checkType, type => draft.types.push(type)),
    source: declare(declared.checkSource, source => draft.sources.push(source)),
    feature: declare(declared.checkFeature, (flag, state) => input.features.set(flag, state, name)),
    has: flag => input.features.has(flag),
    check: declare(declared.checkCheck, check => draft.checks.push(check)),
    command: declare(declared.checkCommand, command => draft.commands.push(command)),
    routes: declare(declared.checkRoutes, (prefix: string, plugin: FastifyPluginAsync) => {
      draft.routes.push({ prefix, plugin })
    }),
    provide: (key, make, close) => {
      gate()
      declared.checkProvision(key, make, close)
      draft.provisions.push({ name: key, provide: () => input.container.provide(name, key, make, close) })
    },
    onClose: declare(declared.checkCloser, (close: () => Promise<void> | void) => draft.closers.push(close)),
  }
  return {
    host,
    draft,
    end() {
      open = false
    },
  }
}
