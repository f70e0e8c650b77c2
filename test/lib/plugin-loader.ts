import type { PlatformFacts, Plugin, Services, ServiceType } from '../../kernel/contract/plugin.ts'
import { Container } from '../../kernel/plugins/container.ts'
import { Contributions } from '../../kernel/plugins/contributions.ts'
import type { FoundPlugin } from '../../kernel/plugins/discover.ts'
import { Features } from '../../kernel/plugins/features.ts'
import { HookRuns } from '../../kernel/plugins/hooks.ts'
import { type LoadInput, loadPlugins } from '../../kernel/plugins/load.ts'
import { Teardown } from '../../kernel/plugins/teardown.ts'
import type { PluginView } from '../../kernel/protocol.ts'

declare module '../../kernel/contract/plugin.ts' {
  interface Services {
    /** A third-party plugin's, for tests. */
    readonly desktop: Desktop
  }
}

/** What the tests' plugins offer each other. */
export interface Desktop {
  openArgv(url: string): readonly string[]
}

/** The parts of a kernel that plugins are loaded into, and the lines they logged. */
export interface TestLoader extends LoadInput {
  readonly logged: string[]
  load(...found: readonly FoundPlugin[]): Promise<readonly PluginView[]>
}

/** Differences from a common machine. The default limits are short, for plugins that hang. */
export interface TestMachine {
  readonly facts?: Partial<PlatformFacts>
  readonly settings?: LoadInput['settings']
  readonly tables?: Readonly<Record<string, unknown>>
  readonly limits?: LoadInput['limits']
}

export function testLoader(given: TestMachine = {}): TestLoader {
  const logged: string[] = []
  const features = new Features()
  const teardown = new Teardown(200)
  const input: LoadInput = {
    facts: { os: 'linux', release: 6, arch: 'x64', uid: 1000, ...given.facts },
    folders: { data: '/data', config: '/config', runtime: '/run', sockets: '/run', native: '/native' },
    settings: given.settings ?? {},
    tables: given.tables ?? {},
    features,
    contributions: new Contributions(features),
    container: new Container(teardown),
    hooks: new HookRuns(200),
    teardown,
    log: owner => ({
      info: text => logged.push(`${owner}: ${text}`),
      warn: text => logged.push(`${owner}: ${text}`),
      error: text => logged.push(`${owner}: ${text}`),
    }),
    limits: given.limits ?? { importMs: 300, setupMs: 300 },
  }
  return { ...input, logged, load: (...found) => loadPlugins(found, input) }
}

/** Returns a found plugin whose module is already loaded; `more` overrides the rest of `Found`. */
export function found(name: string, plugin: unknown, more: Partial<FoundPlugin> = {}): FoundPlugin {
  const load = async () => ({ default: plugin })
  return { name, version: '1.0.0', from: 'npm', types: [], load, ...more }
}

/** Returns a plugin with this `setup`. */
export function plugin(name: string, setup: Plugin['setup'] = () => {}, more: Partial<Plugin> = {}): FoundPlugin {
  return found(name, { name, api: 1, setup, ...more })
}

/** Returns a service type that cannot be started. */
export function serviceType(type: string, more: Partial<ServiceType<unknown>> = {}): ServiceType<unknown> {
  return {
    type,
    shape: { schema: { type: 'object' } },
    start: () => Promise.reject(new Error('not started here')),
    ...more,
  }
}

/** State, code and reason of each plugin, by name. */
export function reasonsByName(views: readonly PluginView[]): Record<string, string> {
  const line = (...parts: readonly (string | null | undefined)[]) =>
    parts.filter(part => part !== undefined && part !== null).join(' ')
  return Object.fromEntries(views.map(({ name, state, reason, code }) => [name, line(state, code, reason)]))
}

/** A promise that stays pending. */
export const never = () => new Promise<never>(() => {})

/** Provides a process table that cannot be used. */
export const noProcessTable = (): Services['processTable'] => {
  throw new Error('not made here')
}
