import { homedir } from 'node:os'
import { join } from 'node:path'
import { type Places, readSettings } from './config/load.ts'
import type { Check, Folders, Log } from './contract/plugin.ts'
import { Diagnoses } from './diagnosis/diagnosis.ts'
import { ownChecks } from './doctor.ts'
import { messageOf } from './errors.ts'
import { Events } from './events.ts'
import { Logs } from './logs/service-log.ts'
import { adoptAll } from './operations/adopt.ts'
import { KnownProjects } from './operations/known-projects.ts'
import { Holds } from './operations/leases/lease-holds.ts'
import { Operations } from './operations/operations.ts'
import { AppliedFiles } from './operations/reload/applied-files.ts'
import { RunningWorktrees } from './operations/reports/worktrees.ts'
import { Container } from './plugins/container.ts'
import { Contributions } from './plugins/contributions.ts'
import { type BuiltIn, describeBuiltIns, findNpmPlugins } from './plugins/discover.ts'
import { Features } from './plugins/features.ts'
import { HookRuns } from './plugins/hooks.ts'
import { LateApi } from './plugins/late-api.ts'
import { loadPlugins } from './plugins/load.ts'
import { settingsTables } from './plugins/settings.ts'
import { Teardown } from './plugins/teardown.ts'
import { ProjectCatalog } from './projects/catalog.ts'
import { noteDependencies } from './projects/dependency-notes.ts'
import { Projects } from './projects/projects.ts'
import { StartingProjects } from './projects/starting-projects.ts'
import type { PluginView } from './protocol.ts'
import { Ports } from './registry/ports.ts'
import { Registry } from './registry/registry.ts'
import { Histories } from './services/history.ts'
import { moveRecords } from './services/records/move-records.ts'
import { Records } from './services/records/records.ts'
import { UsageView } from './services/usage.ts'
import { DaemonMemory } from './system/memory.ts'
import type { Paths } from './system/paths.ts'
import { factsOf } from './system/platform.ts'
import { CommandRuns } from './terminals/command-runs.ts'

/** At a shutdown, services that could not be adopted get this long to stop: ms. */
const lastGraceMs = 60_000

/** What the kernel needs to start. */
export interface KernelInput {
  readonly paths: Paths
  readonly env: NodeJS.ProcessEnv
  readonly version: string
  readonly builtIn: readonly BuiltIn[]
  /** The daemon's log, by owner. */
  readonly log: (owner: string) => Log
}

/** A running kernel: what the API serves. */
export interface Kernel {
  readonly paths: Paths
  /**
   * The present socket of the API, and the runtime folder: another one than planned when that was removed and cannot be
   * recreated.
   */
  readonly place: { socket: string; runtime: string }
  readonly version: string
  /** UTC ISO 8601. */
  readonly startedAt: string
  readonly events: Events
  readonly features: Features
  readonly contributions: Contributions
  readonly container: Container
  /** What plugins use of the API; the API sets itself. */
  readonly api: LateApi
  readonly plugins: readonly PluginView[]
  readonly projects: Projects
  readonly operations: Operations
  readonly known: KnownProjects
  readonly diagnoses: Diagnoses
  /** Commands on terminals of their own. */
  readonly runs: CommandRuns
  readonly usage: UsageView
  readonly checks: readonly Check[]
  /** Closes what plugins have open, last in, first out. Services keep running. */
  close(): Promise<void>
}

/**
 * Starts the kernel: settings, plugins, their `loaded`, the adoption of running services, then their `booted`. Throws for
 * invalid settings.
 */
export async function startKernel({ paths, env, version, builtIn, log }: KernelInput): Promise<Kernel> {
  const places: Places = { configDir: paths.config, home: env['HOME'] || homedir(), data: paths.data }
  const own = log('kernel')
  const found = [...describeBuiltIns(builtIn, version), ...(await findNpmPlugins(join(paths.data, 'plugins')))]
  const tableNames = settingsTables(found)
  const settings = await readSettings(places, tableNames)
  const teardown = new Teardown()
  const events = new Events()
  const features = new Features()
  const contributions = new Contributions(features)
  const container = new Container(teardown)
  const hooks = new HookRuns()
  const registry = new Registry(paths.data, own, () => contributions.reservedHosts().map(({ host }) => host))
  const place = { socket: paths.socket, runtime: paths.runtime }
  moveRecords(paths.runtime, paths.records, own)
  const records = new Records(paths.records, own)
  const histories = new Histories(paths.records, own)
  const ports = new Ports(registry, {
    table: () => container.optional('processTable'),
    own: port => contributions.daemonPort(port),
  })
  const logs = new Logs(paths.data)
  let plugins: readonly PluginView[] = []
  const projects = new Projects({
    ...{ events, hooks, logs, ports, records, histories, container, contributions, registry, places },
    log: own,
    dataFolder: paths.data,
    plugins: () => plugins,
    settingsTables: tableNames,
  })
  const starting = new StartingProjects()
  container.value(
    'catalog',
    new ProjectCatalog(
      () => projects.list(),
      events,
      starting,
      () => registry.list(),
    ),
  )
  const api = new LateApi()
  container.value('api', api)
  container.value('memory', new DaemonMemory(paths.native))
  noteDependencies(events, projects)
  const diagnoses = new Diagnoses({
    ...{ events, ports, container, dataFolder: paths.data, log: own },
    projects: () => projects.list(),
  })
  const runs = new CommandRuns({
    processes: () => container.use.processes,
    memory: () => container.use.memory,
    ...{ events, folder: join(paths.data, 'runs') },
    failed: error => own.error(`a command's terminal failed: ${messageOf(error)}`),
  })
  const operations = new Operations({
    ...{ runs, projects, events, hooks, records, applied: new AppliedFiles(paths.records, own), log: own },
    openFolder: () => container.optional('openFolder'),
    use: { traffic: () => container.optional('traffic'), table: () => container.optional('processTable') },
    lease: {
      holds: new Holds(join(paths.records, 'leases.json'), own),
      isPinned: path => registry.get(path)?.pinned === true,
    },
    table: () => container.optional('processTable'),
    warnings: () => contributions.warnings(),
    tidy: async () =>
      await container
        .optional('processes')
        ?.tidy([], lastGraceMs)
        .catch(error => own.warn(messageOf(error))),
  })
  container.value('control', operations.control)
  container.value('worktrees', new RunningWorktrees({ projects, events }))
  plugins = await loadPlugins(found, {
    ...{ features, contributions, container, hooks, teardown, log },
    facts: factsOf(env, paths.sandbox),
    folders: foldersOf(paths, place),
    settings: settings.plugins,
    tables: settings.tables,
  })
  contributions.onUrls(() => {
    for (const project of projects.list()) project.refreshUrls()
  })
  const processes = container.optional('processes')
  // The first process differs after each start of the machine, or of the container.
  records.boot = await container
    .optional('processTable')
    ?.start(1)
    .catch(() => undefined)
  const bootFailed = (plugin: string, error: Error) => log(plugin).error(error.message)
  await hooks.loaded(bootFailed)
  const left = await adoptAll({ projects, records, registry, processes, log: own })
  const known = new KnownProjects({
    ...{ registry, projects, operations, starting, logs, log: own },
    dataFolder: paths.data,
    disks: () => contributions.disks().map(({ it }) => it),
  })
  const pinned = known.expectPinned()
  // Unknown processes may take seconds to stop: only services started below wait for their ports; names answer
  // meanwhile.
  const tidied = async () => {
    await processes?.tidy(left)
    await runs.tidy()
  }
  await Promise.all([tidied(), hooks.booted(bootFailed)])
  // Before what should run is started again.
  await operations.leases.restore()
  for (const project of projects.list()) {
    operations.resume(project).catch(error => own.error(`${project.ref.name}: ${messageOf(error)}`))
  }
  void known.start(pinned)
  return {
    ...{ place, paths, version, events, features, contributions, container, api, plugins, projects, operations, known },
    ...{ diagnoses, runs },
    startedAt: new Date().toISOString(),
    usage: new UsageView(container, own),
    checks: [...ownChecks(paths), known.check, records.unread.check(record => projects.describeRecord(record.id))],
    async close() {
      await hooks.closing().catch(error => own.warn(messageOf(error)))
      records.flush()
      histories.save()
      await teardown.run((owner, reason) => log(owner).warn(`closing: ${reason}`))
    },
  }
}

/** Returns the daemon's folders: the runtime folder changes when it was removed and cannot be recreated. */
function foldersOf(paths: Paths, place: { readonly runtime: string }): Folders {
  const { data, config, native } = paths
  return {
    ...{ data, config, native },
    get runtime() {
      return place.runtime
    },
    get sockets() {
      return place.runtime === paths.runtime ? paths.plainRuntime : place.runtime
    },
  }
}
