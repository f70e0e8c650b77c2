/**
 * A postgres plugin with real keepers and a real process table, and services of it, for tests; nothing of it outlives
 * its test.
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { driverOf } from '../../../kernel/config/tables/type-options.ts'
import type {
  Folders,
  Host,
  Instance,
  Processes,
  ProcessTable,
  Run,
  ServiceType,
} from '../../../kernel/contract/plugin.ts'
import { Logs } from '../../../kernel/logs/service-log.ts'
import { Container } from '../../../kernel/plugins/container.ts'
import { Teardown } from '../../../kernel/plugins/teardown.ts'
import { isFree } from '../../../kernel/registry/ports.ts'
import { KeeperProcesses } from '../../../plugins/exec-runtime/processes.ts'
import plugin from '../../../plugins/postgres/index.ts'
import { fakeHost } from '../../lib/fake-host.ts'
import { hostTable } from '../../lib/machine.ts'

const build = resolve(dirname(fileURLToPath(import.meta.url)), '..', '..', '..')
const uid = process.getuid?.() ?? 0

/** What a service of the type is, as its driver sees it. */
type Type = ServiceType<unknown>

/** One service: its driver, its Run, and how it is brought up and down. */
export interface Service {
  readonly run: Run<unknown>
  readonly steps: readonly string[]
  /** prepare, start, and probe until it is ready. */
  up(): Promise<Instance>
  /** The same, but for what waits until it is ready. */
  begin(): Promise<Instance>
  exports(): Readonly<Record<string, string>>
  url(): string
  with(changed: Partial<Run<unknown>>): Service
}

/** Folders of its own, the plugin in them, and services. */
export class PostgresHarness {
  readonly root: string
  readonly folders: Folders
  readonly host: Host
  readonly table: ProcessTable = hostTable()
  readonly processes: Processes
  type: Type | undefined
  readonly #instances = new Set<Instance>()
  readonly #logs: Logs
  /** A keeper's connection keeps no process alive, as a daemon has other things that do. */
  readonly #alive = setInterval(() => {}, 1_000_000)

  constructor(root: string) {
    this.root = root
    // Elsewhere: the starter of keepers has its socket there until this process exits, and the root may be a mount.
    const runtime = mkdtempSync(join(tmpdir(), 'pg-run-'))
    this.folders = {
      data: join(root, 'data'),
      config: join(root, 'config'),
      runtime,
      sockets: join(runtime, 'sockets'),
      native: join(build, 'native'),
    }
    for (const folder of Object.values(this.folders)) mkdirSync(folder, { recursive: true, mode: 0o700 })
    const log = { info() {}, warn() {}, error() {} }
    this.#logs = new Logs(this.folders.data)
    this.processes = new KeeperProcesses({
      keeper: join(this.folders.native, 'locald-keeper'),
      folders: this.folders,
      table: () => this.table,
      log,
    })
    this.host = this.#makeHost()
    void plugin.setup(this.host)
  }

  /** A service with options as written in `locald.toml`, on a free port. */
  async service(name: string, options: Record<string, unknown> = {}, project = 'shop'): Promise<Service> {
    const path = join(this.root, 'projects', project)
    mkdirSync(path, { recursive: true })
    const { type } = this
    if (type === undefined) throw new Error('the plugin has no type')
    const validate = driverOf(type).validate()
    const filled = structuredClone(options)
    if (!validate(filled)) throw new Error(JSON.stringify(validate.errors))
    const steps: string[] = []
    const run: Run<unknown> = {
      project: { name: project, path, domain: `${project}.localhost` },
      name,
      key: `${project}:${name}`,
      options: filled,
      port: await freePort(),
      isRequested: false,
      hasWrittenPort: false,
      env: environment(),
      dir: path,
      workdir: undefined,
      ports: {},
      hostPorts: [],
      data: join(this.folders.data, 'services', project, name),
      stopSignal: 'SIGTERM',
      stopTimeout: 5000,
      log: this.#logs.of(project, name),
      signal: new AbortController().signal,
      step: text => void steps.push(text),
    }
    return this.#service(type, run, steps)
  }

  /** Stops what was started. */
  async stop(): Promise<void> {
    await Promise.all([...this.#instances].map(instance => instance.stop({ signal: 'SIGTERM', graceMs: 5000 })))
  }

  /** Stops what was started, and removes all. */
  async close(): Promise<void> {
    await this.stop()
    clearInterval(this.#alive)
    for (const folder of [this.root, this.folders.runtime]) rmSync(folder, { recursive: true, force: true })
  }

  /** Registers an instance for close(). */
  keep(instance: Instance): Instance {
    this.#instances.add(instance)
    void instance.exited.then(() => this.#instances.delete(instance))
    return instance
  }

  #service(type: Type, run: Run<unknown>, steps: string[]): Service {
    const exports = () => type.exports?.(run, { host: '127.0.0.1', port: run.port }) ?? {}
    const begin = async () => {
      await type.prepare?.(run)
      return this.keep(await type.start(run))
    }
    return {
      run,
      steps,
      exports,
      begin,
      up: async () => {
        const instance = await begin()
        await ready(instance)
        return instance
      },
      url: () => exports()['url'] ?? '',
      with: changed => this.#service(type, { ...run, ...changed }, steps),
    }
  }

  #makeHost(): Host {
    const container = new Container(new Teardown())
    container.value('processTable', this.table)
    container.value('processes', this.processes)
    return fakeHost({
      platform: { os: process.platform, release: 0, arch: process.arch, uid },
      folders: this.folders,
      service: type => {
        this.type = type as Type
      },
      use: container.use,
    })
  }
}

/** Waits until an instance is ready; throws when it exits first. */
export async function ready(instance: Instance, limitMs = 30_000): Promise<void> {
  const end = Date.now() + limitMs
  let hasExited = false
  void instance.exited.then(() => {
    hasExited = true
  })
  while (!(await instance.probe?.())) {
    if (hasExited) throw new Error('exited before it was ready')
    if (Date.now() > end) throw new Error('it did not become ready')
    await new Promise(wake => setTimeout(wake, 10))
  }
}

/** This environment without what the test runner put in. */
export function environment(): Record<string, string> {
  const kept = Object.entries(process.env).filter(([name]) => !/^(TAP|PG)/.test(name))
  return Object.fromEntries(kept.flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])))
}

let next = 15_000 + (process.pid % 4000)

async function freePort(): Promise<number> {
  for (;;) {
    const port = next++
    if (await isFree(port)) return port
  }
}
