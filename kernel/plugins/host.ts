import type { FastifyPluginAsync } from 'fastify'
import type { Folders, Host, Log, PlatformFacts, ReadDisk, Warning } from '../contract/plugin.ts'
import { LocaldError, messageOf } from '../errors.ts'
import type { Container } from './container.ts'
import type { Contributions } from './contributions.ts'
import type { Draft, Opener, StatusSource } from './draft.ts'
import type { Features } from './features.ts'
import { makeHooks } from './hooks.ts'
import type { Candidate } from './import.ts'
import * as valid from './validate.ts'

/** The parts of the kernel that hosts use. */
export interface HostInput {
  readonly facts: PlatformFacts
  readonly folders: Folders
  readonly features: Features
  readonly container: Container
  readonly contributions: Contributions
  readonly log: (owner: string) => Log
}

/** A plugin's host and its declarations. After `end`, declarations are refused and services can be used. */
export interface Declaring {
  readonly host: Host
  readonly draft: Draft
  end(): void
}

/** Makes the host of one plugin. */
export function hostOf({ name, options }: Candidate, input: HostInput): Declaring {
  let open = true
  const gate = () => {
    if (open) return
    throw new LocaldError('PLUGIN_SETUP', `plugin ${name} declares something after setup()`, {
      plugin: name,
      hint: 'Declare everything in setup(), before it returns or its promise resolves.',
    })
  }
  const refuseWhileOpen = (service: string) => {
    if (!open) return
    throw new LocaldError(
      'PLUGIN_SETUP',
      `service '${service}' used in setup(); use it in hooks, drivers and routes only`,
      {
        plugin: name,
      },
    )
  }
  const draft: Draft = {
    types: [],
    sources: [],
    checks: [],
    commands: [],
    routes: [],
    tables: [],
    topics: [],
    variables: [],
    urls: [],
    shares: [],
    reserved: [],
    ports: [],
    openers: [],
    warnings: [],
    reports: [],
    disks: [],
    statuses: [],
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
  const log = input.log(name)
  /** Logs what a plugin's function throws: an `up`, or the status, must not fail with it. */
  const orElse =
    <T>(what: string, get: () => T, fallback: T) =>
    (): T => {
      try {
        return get()
      } catch (error) {
        log.error(`${what} failed: ${messageOf(error)}`)
        return fallback
      }
    }
  const host: Host = {
    options,
    hooks: draft.hooks,
    platform: input.facts,
    folders: input.folders,
    log,
    use: new Proxy(input.container.use, {
      get(services, key) {
        refuseWhileOpen(String(key))
        return Reflect.get(services, key)
      },
    }),
    optional: key => {
      refuseWhileOpen(key)
      return input.container.optional(key)
    },
    service: declare(valid.checkType, type => draft.types.push(type)),
    source: declare(valid.checkSource, source => draft.sources.push(source)),
    feature: declare(valid.checkFeature, (flag, state) => input.features.set(flag, state, name)),
    has: flag => input.features.has(flag),
    check: declare(valid.checkCheck, check => draft.checks.push(check)),
    command: declare(valid.checkCommand, command => draft.commands.push(command)),
    routes: declare(valid.checkRoutes, (prefix: string, plugin: FastifyPluginAsync) => {
      draft.routes.push({ prefix, plugin })
    }),
    table: declare(valid.checkTable, table => draft.tables.push(table)),
    topic: declare(valid.checkTopic, topic => draft.topics.push(topic)),
    variable: declare(valid.checkVariable, variable => draft.variables.push(variable)),
    urls: source => {
      gate()
      valid.checkFunction('urls()')(source)
      draft.urls.push(source)
      return () => input.contributions.urlsChanged()
    },
    shares: source => {
      gate()
      valid.checkFunction('shares()')(source)
      draft.shares.push(source)
      return () => input.contributions.urlsChanged()
    },
    reserve: declare(valid.checkReserved, host => draft.reserved.push(host)),
    port: declare(valid.checkPort, port => draft.ports.push(port)),
    opener: declare(valid.checkFunction('opener()'), (open: Opener) => draft.openers.push(open)),
    warnings: declare(valid.checkFunction('warnings()'), (list: () => readonly Warning[]) => {
      draft.warnings.push(orElse('warnings()', list, []))
    }),
    status: declare(valid.checkFunction('status()'), (fields: StatusSource) =>
      draft.statuses.push(orElse('status()', fields, {})),
    ),
    report: (name, read) => {
      gate()
      valid.checkReport(name, read)
      draft.reports.push({ name, read })
    },
    disk: declare(valid.checkFunction('disk()'), (read: ReadDisk) => draft.disks.push(read)),
    provide: (key, make, close) => {
      gate()
      valid.checkProvision(key, make, close)
      draft.provisions.push({ name: key, provide: () => input.container.provide(name, key, make, close) })
    },
    onClose: declare(valid.checkFunction('onClose()'), (close: () => Promise<void> | void) =>
      draft.closers.push(close),
    ),
  }
  return {
    host,
    draft,
    end() {
      open = false
    },
  }
}
