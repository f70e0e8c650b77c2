/** Projects of a kernel without a daemon, with services in the test's own process. */
import { createServer } from 'node:http'
import { join } from 'node:path'
import type { Test } from 'tap'
import { loadProject } from '../../../kernel/config/load.ts'
import type { Exit, Instance, Log, ServiceType } from '../../../kernel/contract/plugin.ts'
import { shape } from '../../../kernel/contract/shape.ts'
import { Events } from '../../../kernel/events.ts'
import { Logs } from '../../../kernel/logs/service-log.ts'
import { Container } from '../../../kernel/plugins/container.ts'
import { Contributions } from '../../../kernel/plugins/contributions.ts'
import type { Draft } from '../../../kernel/plugins/draft.ts'
import { Features } from '../../../kernel/plugins/features.ts'
import { HookRuns, makeHooks } from '../../../kernel/plugins/hooks.ts'
import { Teardown } from '../../../kernel/plugins/teardown.ts'
import { ForeignFolders } from '../../../kernel/projects/foreign-folders.ts'
import { ForeignServices } from '../../../kernel/projects/foreign-services.ts'
import { Project } from '../../../kernel/projects/project.ts'
import { Ports } from '../../../kernel/registry/ports.ts'
import { Registry } from '../../../kernel/registry/registry.ts'
import { Histories } from '../../../kernel/services/history.ts'
import { Records } from '../../../kernel/services/records/records.ts'
import type { Service } from '../../../kernel/services/service.ts'
import { withResolvers } from '../../../kernel/system/async.ts'
import { makeFolder, removeFolder } from '../../lib/keeper.ts'

/** Each wait of a test: ms. */
const deadline = 20_000

/** A type of services of this machine: each answers in HTTP on its port. */
const hostType: ServiceType<unknown> = {
  type: 'server',
  isDefault: true,
  shape: shape({ type: 'object', properties: {}, additionalProperties: false }),
  exports: (run, { host, port }) => ({ place: `${run.name}@${host}:${port}` }),
  async start({ port }): Promise<Instance> {
    const exit = withResolvers<Exit>()
    const server = createServer((_, response) => response.end()).listen(port, '127.0.0.1')
    return {
      ...{ pid: null, startedMs: Date.now(), state: null, exited: exit.promise },
      stop: async () => {
        server.closeAllConnections()
        server.close(() => exit.resolve({ code: 0, signal: null }))
      },
    }
  },
}

export class TestKernel {
  readonly hooks = makeHooks(() => {})
  readonly data: string
  readonly warnings: string[] = []
  readonly ports: Ports
  readonly registry: Registry
  readonly records: Records
  readonly #parts
  readonly #contributions: Contributions
  readonly #projects: Project[] = []
  readonly foreign = new ForeignServices({
    folders: new ForeignFolders(() => this.registry.list()),
    list: () => this.#projects,
    open: async () => {},
  })

  constructor(t: Test, types: readonly ServiceType<unknown>[], variables: Draft['variables'] = []) {
    this.data = makeFolder()
    const log: Log = { info: () => {}, warn: text => this.warnings.push(text), error: text => this.warnings.push(text) }
    this.registry = new Registry(this.data, log)
    this.records = new Records(join(this.data, 'records'), log)
    this.ports = new Ports(this.registry, { table: () => undefined, own: () => undefined })
    this.#contributions = new Contributions(new Features())
    const none = {
      sources: [],
      checks: [],
      commands: [],
      routes: [],
      tables: [],
      urls: [],
      shares: [],
      reserved: [],
      ports: [],
    }
    const nothing = {
      openers: [],
      topics: [],
      warnings: [],
      reports: [],
      disks: [],
      statuses: [],
      provisions: [],
      closers: [],
    }
    const draft: Draft = { ...none, ...nothing, types: [hostType, ...types], variables, hooks: this.hooks }
    this.#contributions.commit('test', draft)
    const hooks = new HookRuns()
    hooks.add('test', this.hooks)
    const events = new Events()
    events.on(event => {
      if (event.event === 'warning') this.warnings.push(event.message)
    })
    const { records, ports, data: dataFolder } = this
    const container = new Container(new Teardown())
    const histories = new Histories(this.data, log)
    this.#parts = { histories, events, hooks, log, records, ports, container, dataFolder, logs: new Logs(dataFolder) }
    // Timers of health checks do not keep Node running.
    const alive = setInterval(() => {}, 2 ** 30)
    t.teardown(async () => {
      await Promise.all(this.#projects.map(project => project.halt()))
      this.records.flush()
      clearInterval(alive)
      removeFolder(this.data)
    })
  }

  /** Loads the project in a folder. */
  async project(path: string, shell: Readonly<Record<string, string>> = {}): Promise<Project> {
    const contributions = this.#contributions
    const types = {
      find: (type: string) => contributions.findType(type),
      names: contributions.typeNames(),
      defaultType: contributions.defaultType,
      sources: [],
    }
    const loaded = await loadProject(path, types, { configDir: path, home: path })
    const { name, domain, services } = loaded.plan
    const ref = this.registry.identify(
      { name, path, domain },
      services.map(service => service.name),
    )
    const project = new Project(ref, loaded.plan, shell, { ...this.#parts, contributions, foreign: this.foreign })
    this.#projects.push(project)
    await project.adoptPlan(loaded, shell)
    return project
  }
}

/** Starts services of a project, with their dependencies. */
export async function start(project: Project, ...names: readonly string[]): Promise<void> {
  await project.runs.start(await project.prepareAll(names), AbortSignal.timeout(deadline))
}

/** Returns a service of a project. Throws where there is none. */
export function serviceOf(project: Project, name: string): Service {
  const service = project.service(name)
  if (service === undefined) throw new Error(`no service ${name}`)
  return service
}

/** Waits until a service's state is as tested. */
export async function until({ state }: Service, test: (now: Service['state']['now']) => boolean): Promise<void> {
  await state
    .until(() => test(state.now), AbortSignal.timeout(deadline))
    .catch(() => {
      throw new Error(`timed out: ${JSON.stringify(state.now)}`)
    })
}
