import { mkdir, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { stringify } from 'smol-toml'
import { networkOf } from '../config/checks/network.ts'
import { loadProject } from '../config/load.ts'
import type { EnvContext, Exit, Folders, Instance, Run, ServicePlan, ServiceType } from '../contract/plugin.ts'
import { LocaldError } from '../errors.ts'
import { LogCursor } from '../logs/cursor.ts'
import { stripAnsi } from '../logs/plain-text.ts'
import { ServiceLog } from '../logs/service-log.ts'
import type { Contributions } from '../plugins/contributions.ts'
import type { HookRuns } from '../plugins/hooks.ts'
import { environmentOf } from '../services/environment/environment.ts'
import { guestVariables, ownVariables } from '../services/environment/own-variables.ts'
import { type HealthInput, HealthWatch } from '../services/health/health.ts'
import { workdirOf } from '../services/service.ts'

/** A service that a test started. */
export interface TestedService {
  readonly run: Run<unknown>
  readonly instance: Instance
  /**
   * Resolves when it is ready: by its `health_check`, else its own probe, else a connection to its port. Throws
   * SERVICE_FAILED when it exits before.
   */
  ready(): Promise<void>
  /** All its output so far, without ANSI codes. */
  lines(): Promise<readonly string[]>
  /** Stops it as `locald stop` does; once it has exited, only returns its exit. */
  stop(): Promise<Exit>
}

/** The input of `startTested`. */
export interface TestedInput {
  readonly root: string
  readonly name: string
  readonly table: Readonly<Record<string, unknown>>
  readonly contributions: Contributions
  readonly hooks: HookRuns
  readonly folders: Folders
}

/** Reads the service from a locald.toml of its own, then does what `up` does until it is started. */
export async function startTested(input: TestedInput): Promise<TestedService> {
  const { root, name, table, contributions, hooks } = input
  const path = join(root, name)
  await mkdir(path, { recursive: true })
  await writeFile(join(path, 'locald.toml'), stringify({ project: { name }, services: { [name]: table } }))
  const types = {
    find: (type: string) => contributions.findType(type),
    names: contributions.typeNames(),
    defaultType: contributions.defaultType,
    sources: [],
  }
  const { plan } = await loadProject(path, types, { configDir: input.folders.config, home: root })
  const [service] = plan.services
  const driver = service === undefined ? undefined : contributions.findType(service.type)
  if (service === undefined || driver === undefined) throw new LocaldError('CONFIG_INVALID', 'there is no service')
  if (LocaldError.is(driver)) throw driver
  const project = { name, path, domain: plan.domain }
  const ref = { key: `${name}:${name}`, name, type: service.type, project }
  const port = networkOf(driver, service) === 'none' ? undefined : (service.common.port ?? (await freePort()))
  const { reach = 'host' } = driver
  const target = { port, hosts: [] }
  const variables = contributions.variables()
  const { own, defaults, fallbacks } =
    reach === 'guest'
      ? guestVariables(target, variables, driver.guestPort?.(service.options))
      : ownVariables(target, variables)
  const ports: Record<string, number> = {}
  for (const inside of driver.ports?.(service.options) ?? []) ports[inside] = await freePort()
  const { env, layers } = await environmentOf({
    ...{ shell: { ...fallbacks, ...process.env }, plan, service, own, defaults, isGuest: reach === 'guest' },
    lookup: () => undefined,
  })
  const alone: EnvContext = {
    dir: workdirOf(project, service, reach),
    reach,
    dependencies: [],
    isOwn: variable => (layers.get(variable) ?? 'shell') !== 'shell',
    lookup: () => undefined,
  }
  const log = new ServiceLog(join(input.folders.data, 'logs', name))
  const abort = new AbortController()
  const run: Run<unknown> = {
    project,
    name,
    key: ref.key,
    options: service.options,
    port,
    env: await hooks.env({ ...env }, ref, alone),
    dir: workdirOf(project, service, reach),
    workdir: service.common.workdir,
    isRequested: false,
    hasWrittenPort: service.common.port !== undefined,
    ports,
    hostPorts: [],
    data: join(input.folders.data, 'services', name),
    stopSignal: service.common.stopSignal,
    stopTimeout: service.common.stopTimeout,
    log,
    signal: abort.signal,
    step: text => log.write('locald', `${text}\n`),
  }
  const guest = reach === 'guest' ? { port: driver.guestPort?.(service.options) } : undefined
  await hooks.starting(ref)
  return testedService(run, await begin(driver, run), { service, log, abort, guest })
}

async function begin(driver: ServiceType<unknown>, run: Run<unknown>): Promise<Instance> {
  await driver.prepare?.(run)
  return driver.start(run)
}

interface Parts {
  readonly service: ServicePlan
  readonly log: ServiceLog
  readonly abort: AbortController
  readonly guest: HealthInput['guest']
}

function testedService(run: Run<unknown>, instance: Instance, { service, log, abort, guest }: Parts): TestedService {
  const lines = async () => {
    const cursor = new LogCursor(log.file)
    const all = await cursor.last(Number.MAX_SAFE_INTEGER)
    await cursor.close()
    return all.map(({ text }) => stripAnsi(text))
  }
  return {
    run,
    instance,
    lines,
    ready: async () => {
      const { port, dir, env, signal } = run
      const watch = new HealthWatch({
        ...{ check: service.common.healthCheck, instance, port, guest, dir, env, log, signal },
      })
      const exit = await Promise.race([watch.waitUntilReady(() => {}).then(() => undefined), instance.exited])
      if (exit === undefined) return
      abort.abort()
      const output = await lines()
      throw new LocaldError('SERVICE_FAILED', `exited with ${exit.code ?? exit.signal} before it was ready`, {
        hint: output.length === 0 ? 'Check its command: the output is empty.' : output.slice(-10).join('\n'),
      })
    },
    stop: async () => {
      abort.abort()
      await instance.stop({ signal: run.stopSignal, graceMs: run.stopTimeout })
      return instance.exited
    },
  }
}

/** Returns a port without a listener. */
function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0))
    })
  })
}
