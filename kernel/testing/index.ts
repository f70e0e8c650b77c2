import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type {
  CommandResult,
  FeatureName,
  FeatureState,
  Folders,
  PlatformFacts,
  Plugin,
  Services,
  ServiceType,
} from '../contract/plugin.ts'
import { runChecks } from '../doctor.ts'
import { LocaldError, messageOf } from '../errors.ts'
import { Container } from '../plugins/container.ts'
import { Contributions } from '../plugins/contributions.ts'
import { describeBuiltIns, type FoundPlugin, importBuiltIns } from '../plugins/discover.ts'
import { Features } from '../plugins/features.ts'
import { HookRuns } from '../plugins/hooks.ts'
import { type LoadInput, loadPlugins } from '../plugins/load.ts'
import { Teardown } from '../plugins/teardown.ts'
import type { DoctorAnswer, PluginView } from '../protocol.ts'
import { resolvePaths } from '../system/paths.ts'
import { factsOf } from '../system/platform.ts'
import { startTested, type TestedService } from './service.ts'

export type { CheckView, DoctorAnswer, PluginView } from '../protocol.ts'
export type { TestedService } from './service.ts'

/** The parts of a test's kernel. All but `plugins` are optional. */
export interface TestKernelInput {
  /** The plugins under test: the default exports of their modules. */
  readonly plugins: readonly Plugin[]
  /**
   * Plugins of locald's own that they build on, by name: `['platform-linux', 'platform-darwin', 'exec-runtime']` runs
   * processes.
   */
  readonly builtIns?: readonly string[]
  /** What the kernel is to believe of the machine; the rest is true. */
  readonly facts?: Partial<PlatformFacts>
  /** `[plugins.<name>]` tables of config.toml, by name. */
  readonly settings?: Readonly<Record<string, Readonly<Record<string, unknown>>>>
  /** Feature flags that override those of the platform plugin. */
  readonly features?: Readonly<Record<FeatureName, FeatureState>>
  /** Stand-ins for services of the container that no plugin here provides. */
  readonly provide?: Partial<Services>
}

/** A kernel without a daemon: the plugins' set-up is real, and so is what it starts. All its folders are temporary. */
export interface TestKernel {
  /** State of every plugin, as `locald plugins list --json` has it: a broken one says why. */
  readonly plugins: readonly PluginView[]
  /** What other plugins would get. */
  readonly use: Services
  /** Runs hooks as the kernel does: `await kernel.hooks.booted(…)`. */
  readonly hooks: HookRuns
  readonly folders: Folders
  /** What the plugins wrote into the daemon's log: `<plugin> <level>: <text>`. */
  readonly logged: readonly string[]
  feature(name: FeatureName): FeatureState
  /** A registered type. Throws SERVICE_TYPE_UNSUPPORTED with the words `locald up` would use. */
  type(name: string): ServiceType<unknown>
  /** Runs all checks, as `locald doctor` does; a broken plugin is a failed one. */
  doctor(): Promise<DoctorAnswer>
  /** Runs a plugin's command. Throws UNKNOWN_COMMAND when there is none of that name. */
  command(name: string, ...argv: readonly string[]): Promise<CommandResult>
  /**
   * Starts one service: `{ type: 'redis', version: '7' }`, the table that would stand in a project's locald.toml,
   * checked as there. Nothing is supervised: it is started once, and stopped by `stop` or `close`.
   */
  start(table: Readonly<Record<string, unknown>>): Promise<TestedService>
  /** Stops services, runs hook `closing` and all closers, removes the folders. Throws when one of these fails. */
  close(): Promise<void>
}

/**
 * Makes a kernel for the tests of a plugin. It has to be closed, also after a failure: until then it keeps the process
 * alive.
 */
export async function testKernel(input: TestKernelInput): Promise<TestKernel> {
  const found = [...(await shippedOf(input.builtIns ?? [])), ...input.plugins.map(foundFrom)]
  const root = await mkdtemp(join(tmpdir(), 'locald-test-'))
  const logged: string[] = []
  const parts = partsIn(root, input, logged)
  const { features, contributions, container, hooks, folders } = parts
  forceFeatures(features, input.features)
  standIn(container, input.provide ?? {})
  const plugins = await loadPlugins(found, parts)
  forceFeatures(features, input.features)
  const services: TestedService[] = []
  let starts = 0
  // What watches a service keeps no process alive: in a daemon its listener does.
  const alive = setInterval(() => {}, 2 ** 30)
  return {
    plugins,
    use: container.use,
    hooks,
    folders,
    logged,
    feature: name => features.get(name),
    type: name => orThrow(contributions.findType(name)),
    doctor: () => runChecks({ contributions, plugins, own: [] }),
    command: async (name, ...argv) => {
      const command = contributions.command(name)
      if (command === undefined) throw new LocaldError('UNKNOWN_COMMAND', `no plugin has a command '${name}'`)
      return command.run(argv, { cwd: root, signal: new AbortController().signal })
    },
    start: async table => {
      const name = ++starts === 1 ? 'tested' : `tested-${starts}`
      const service = await startTested({ root, name, table, contributions, hooks, folders })
      services.push(service)
      return service
    },
    close: async () => {
      try {
        await closeAll(services, parts)
      } finally {
        clearInterval(alive)
        await rm(root, { recursive: true, force: true })
      }
    },
  }
}

function partsIn(root: string, input: TestKernelInput, logged: string[]): LoadInput {
  const write = (owner: string, level: string) => (text: string) => void logged.push(`${owner} ${level}: ${text}`)
  const features = new Features()
  const teardown = new Teardown()
  return {
    facts: { ...factsOf({}, undefined), ...input.facts },
    folders: foldersIn(root),
    settings: input.settings ?? {},
    features,
    contributions: new Contributions(features),
    container: new Container(teardown),
    hooks: new HookRuns(),
    teardown,
    log: owner => ({ info: write(owner, 'info'), warn: write(owner, 'warn'), error: write(owner, 'error') }),
  }
}

/** Closes everything, then throws one error with all failures. */
async function closeAll(services: readonly TestedService[], { hooks, teardown }: LoadInput): Promise<void> {
  const failures: string[] = []
  for (const service of [...services].reverse()) {
    await service.stop().catch(error => failures.push(messageOf(error)))
  }
  await hooks.closing().catch(error => failures.push(messageOf(error)))
  await teardown.run((owner, reason) => failures.push(`${owner}: ${reason}`))
  if (failures.length > 0) throw new Error(`closing failed: ${failures.join('; ')}`)
}

function forceFeatures(features: Features, states: TestKernelInput['features'] = {}): void {
  for (const [name, state] of Object.entries(states)) features.set(name, state, 'test')
}

function foldersIn(root: string): Folders {
  const { native } = resolvePaths({ env: process.env })
  return {
    data: join(root, 'data'),
    config: join(root, 'config'),
    runtime: join(root, 'run'),
    sockets: join(root, 'run'),
    native,
  }
}

function foundFrom(plugin: Plugin): FoundPlugin {
  const load = async () => ({ default: plugin })
  return { name: plugin.name, version: '0.0.0', from: 'npm', types: [], load }
}

/** Returns some of the built-in plugins. */
async function shippedOf(names: readonly string[]): Promise<readonly FoundPlugin[]> {
  if (names.length === 0) return []
  const list = await importBuiltIns()
  const strangers = names.filter(name => !list.some(entry => entry.name === name))
  if (strangers.length > 0) throw new Error(`there is no built-in plugin '${strangers.join("', '")}'`)
  return describeBuiltIns(
    list.filter(({ name }) => names.includes(name)),
    '0.0.0',
  )
}

function standIn(container: Container, services: Partial<Services>): void {
  const put = <K extends keyof Services>(name: K) => {
    const it: Services[K] | undefined = services[name]
    if (it !== undefined) container.value(name, it)
  }
  for (const name of Object.keys(services)) if (isNameIn(services, name)) put(name)
}

function isNameIn(services: Partial<Services>, name: string): name is keyof Services {
  return Object.hasOwn(services, name)
}

function orThrow<T>(value: T | LocaldError): T {
  if (LocaldError.is(value)) throw value
  return value
}
