/** The kernel below a project, for tests: services of one project run by real keepers in a folder of their own. */
import { rmSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Test } from 'tap'
import type {
  CommonOptions,
  HealthCheck,
  Instance,
  Log,
  ProcessTable,
  ProjectRef,
  ServiceType,
} from '../../kernel/contract/plugin.ts'
import { Events, type ServiceView } from '../../kernel/events.ts'
import { Logs } from '../../kernel/logs/service-log.ts'
import { Container } from '../../kernel/plugins/container.ts'
import { HookRuns, makeHooks } from '../../kernel/plugins/hooks.ts'
import { Teardown } from '../../kernel/plugins/teardown.ts'
import { Ports } from '../../kernel/registry/ports.ts'
import { Registry } from '../../kernel/registry/registry.ts'
import { Histories } from '../../kernel/services/history.ts'
import { fingerprintOf } from '../../kernel/services/prepare.ts'
import { Records } from '../../kernel/services/records/records.ts'
import { Service } from '../../kernel/services/service.ts'
import type { Dependency, StartPlan } from '../../kernel/services/start-plan.ts'
import { KeeperProcesses } from '../../plugins/exec-runtime/processes.ts'
import { cleanEnvironment, makeFolder } from './keeper.ts'

const native = resolve(dirname(fileURLToPath(import.meta.url)), '..', '..', 'native')

/** Listens on $PORT (or the first argument) of $BIND; GET /: what the file `status` in its folder says, else 200. */
const server = `
const { createServer } = require('node:http')
const { readFileSync } = require('node:fs')
const status = () => { try { return Number(readFileSync('status', 'utf8')) } catch { return 200 } }
createServer((_, response) => { const code = status(); if (code) response.writeHead(code).end() })
  .listen(Number(process.argv[2] ?? process.env.PORT), process.env.BIND || '127.0.0.1', () => console.log('listening'))
`

/** Where a test waits: everything that it waits for comes within this, or it fails: ms. */
const deadline = 20_000

export interface TestProjectOptions {
  readonly table: ProcessTable
  /** As another daemon of the same project. */
  readonly data?: string
}

export interface TestServiceOptions extends Partial<Omit<CommonOptions, 'healthCheck'>> {
  readonly command?: string
  readonly healthCheck?: Partial<HealthCheck> & Pick<HealthCheck, 'type'>
  readonly driver?: ServiceType<unknown>
  /** Without a port. */
  readonly worker?: boolean
}

/** Runs `command` by a keeper. */
function execDriver(processes: KeeperProcesses): ServiceType<unknown> {
  return {
    type: 'exec',
    shape: { schema: {} },
    start: run =>
      processes.spawn({
        key: run.key,
        argv: ['/bin/sh', '-c', String(run.options)],
        dir: run.dir,
        env: run.env,
        tty: false,
        log: run.log,
        port: run.port,
        stopSignal: run.stopSignal,
        stopTimeout: run.stopTimeout,
      }),
    adopt: (run, state) => processes.adopt(state, run.log),
  }
}

export class TestProject {
  readonly dir: string
  readonly project: ProjectRef
  readonly views: ServiceView[] = []
  readonly warnings: string[] = []
  readonly said: string[] = []
  /** Hooks that ran: `ready web`. */
  readonly hooksRun: string[] = []
  readonly processes: KeeperProcesses
  readonly driver: ServiceType<unknown>
  readonly records: Records
  readonly ports: Ports
  readonly hooks = makeHooks(() => {})
  readonly #parts
  readonly #services: Service[] = []

  constructor(t: Test, { table, data }: TestProjectOptions) {
    this.dir = data ?? makeFolder()
    const log: Log = { info: () => {}, warn: text => this.said.push(text), error: text => this.said.push(text) }
    const registry = new Registry(this.dir, log)
    this.project = registry.identify({ name: 'shop', path: this.dir, domain: 'shop.localhost' }, [])
    this.processes = new KeeperProcesses({
      keeper: join(native, 'locald-keeper'),
      folders: { data: this.dir, config: this.dir, runtime: this.dir, sockets: this.dir, native },
      table: () => table,
      log,
    })
    this.driver = execDriver(this.processes)
    this.records = new Records(this.dir, log)
    this.ports = new Ports(registry, { table: () => table, own: () => undefined })
    const container = new Container(new Teardown())
    container.value('processTable', table)
    const hooks = new HookRuns()
    hooks.add('test', this.hooks)
    for (const name of ['starting', 'ready', 'stopping', 'gone'] as const)
      this.hooks[name].tap('test', ({ name: service }) => void this.hooksRun.push(`${name} ${service}`))
    const events = new Events()
    events.on(event => {
      if (event.event === 'service') this.views.push(event.service)
      if (event.event === 'warning') this.warnings.push(event.message)
    })
    const { records, ports } = this
    const histories = new Histories(this.dir, log)
    const logs = new Logs(this.dir)
    this.#parts = { events, hooks, logs, ports, records, histories, container, log, dataFolder: this.dir }
    writeFileSync(join(this.dir, 'server.cjs'), server)
    // The timers of health checks do not keep Node running.
    const keepRunning = setInterval(() => {}, 60_000)
    t.teardown(async () => {
      clearInterval(keepRunning)
      await Promise.all(this.#services.map(({ supervisor }) => supervisor.stop()))
      this.records.flush()
      if (data === undefined) rmSync(this.dir, { recursive: true, force: true })
    })
  }

  /** Node running the test server. */
  get serverCommand(): string {
    return `exec '${process.execPath}' server.cjs`
  }

  /** A service, and what it is to be run with. */
  async service(
    name: string,
    options: TestServiceOptions = {},
    dependencies: readonly Dependency[] = [],
  ): Promise<TestService> {
    const { command = this.serverCommand, worker = false, driver = this.driver, healthCheck, ...common } = options
    const check = healthCheck === undefined ? undefined : asCheck(healthCheck)
    const fixed = common.port
    const leased = worker ? new Map<string, number>() : await this.ports.lease(this.project, [{ service: name, fixed }])
    const plan = { name, type: 'exec', options: command, common: { ...defaults, ...common, healthCheck: check } }
    let port = leased.get(name)
    const ref = { key: `shop:${name}`, name, type: 'exec', project: this.project }
    const service = new Service(ref, this.#parts)
    this.#services.push(service)
    const movePort = async () => {
      port = await this.ports.reassign(this.project, name)
      return true
    }
    const startPlan = (): StartPlan => ({
      ...{ plan, driver, port, dependencies, dir: this.dir },
      ...(port === undefined || fixed !== undefined ? {} : { movePort }),
      ...{ ports: {}, hostPorts: [], url: null, variables: { own: {}, defaults: {}, fallbacks: {} }, isAwaited: false },
      env: { ...cleanEnvironment(), ...plan.common.env, ...(port === undefined ? {} : { PORT: String(port) }) },
      ...{ fingerprint: fingerprintOf(plan, { port, ports: {}, hostPorts: [] }, plan.common.env), warnings: [] },
      sources: async () => new Map(),
      renew: async () => startPlan(),
    })
    return new TestService(service, startPlan())
  }

  /** The statuses a service has had, each once in a row. */
  transitions(name: string): readonly string[] {
    const all = this.views.filter(view => view.name === name).map(({ status, health }) => `${status} ${health}`)
    return all.filter((status, index) => status !== all[index - 1])
  }
}

const defaults: CommonOptions = {
  workdir: undefined,
  port: undefined,
  env: {},
  envFile: [],
  dependsOn: {},
  healthCheck: undefined,
  readyTimeout: 15_000,
  restart: 'no',
  stopSignal: 'SIGTERM',
  stopTimeout: 5000,
  watch: [],
}

function asCheck(check: Partial<HealthCheck> & Pick<HealthCheck, 'type'>): HealthCheck {
  const { type, interval = 1000, intervalGiven = check.interval !== undefined, timeout = 1000 } = check
  const times = { interval, intervalGiven, timeout }
  if (type === 'http') return { type, path: 'path' in check ? (check.path ?? '/') : '/', ...times }
  if (type === 'command') return { type, command: 'command' in check ? (check.command ?? '') : '', ...times }
  if (type === 'log') return { type, pattern: 'pattern' in check ? (check.pattern ?? '') : '', ...times }
  return { type, ...times }
}

/** A service of a `TestProject`. */
export class TestService {
  readonly service: Service
  readonly plan: StartPlan

  constructor(service: Service, plan: StartPlan) {
    this.service = service
    this.plan = plan
  }

  get state() {
    return this.service.state
  }

  start(adopted?: { readonly instance: Instance; readonly ready: boolean }): void {
    this.service.supervisor.start(this.plan, adopted)
  }

  stop(): Promise<void> {
    return within(this.service.supervisor.stop(), `${this.service.ref.name} stops`)
  }

  /** Waits for a status, and a health if one is given; its view then. */
  async until(status: string, health?: string | null): Promise<ServiceView> {
    const { state } = this
    const signal = AbortSignal.timeout(deadline)
    const holds = () => state.now.status === status && (health === undefined || state.now.health === health)
    await state.until(holds, signal).catch(() => {
      throw new Error(`timed out waiting for ${status} ${health}: ${JSON.stringify(state.now)}`)
    })
    return state.view()
  }

  async untilReason(pattern: RegExp): Promise<string> {
    const signal = AbortSignal.timeout(deadline)
    await this.state
      .until(() => pattern.test(this.state.now.reason ?? ''), signal)
      .catch(() => {
        throw new Error(`timed out waiting for ${pattern}: ${JSON.stringify(this.state.now)}`)
      })
    return this.state.now.reason ?? ''
  }

  dependency(condition: Dependency['condition'] = 'ready'): Dependency {
    return { name: this.service.ref.name, state: this.state, condition }
  }
}

export function within<T>(promise: Promise<T>, what: string): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`timed out waiting for ${what}`)), deadline)
    promise.then(resolve, reject).finally(() => clearTimeout(timer))
  })
}
