import type { FastifyPluginAsync } from 'fastify'
import type { Check } from './contributions/check.ts'
import type { Command } from './contributions/command.ts'
import type { ReadDisk } from './contributions/disk.ts'
import type { FeatureName, FeatureState } from './contributions/feature.ts'
import type { Hooks } from './contributions/hooks.ts'
import type { DaemonPort, Opening, ReservedHost, ShareSource, UrlSource, Warning } from './contributions/hosting.ts'
import type { ProjectDetector, ProjectSource } from './contributions/project-source.ts'
import type { ServiceType } from './contributions/service-type.ts'
import type { PluginTable } from './contributions/table.ts'
import type { Topic } from './contributions/topic.ts'
import type { Variable } from './contributions/variable.ts'
import type { HttpApi } from './services/api.ts'
import type { Boot } from './services/boot.ts'
import type { Catalog, Control } from './services/catalog.ts'
import type { OpenFolder } from './services/folder-watch.ts'
import type { Memory } from './services/memory.ts'
import type { ProcessTable } from './services/process-table.ts'
import type { Processes } from './services/processes.ts'
import type { Traffic } from './services/traffic.ts'
import type { Worktrees } from './services/worktrees.ts'
import type { Shape } from './shape.ts'

export type { Health, LocaldEvent, ServiceView, SharedUrl, Status } from '../events.ts'
// Functions that plugins share with the kernel.
export { type Denial, denialOf, type ExplainDenial, setDenials } from '../lib/denial.ts'
export { type DotenvEntry, parseDotenv } from '../lib/dotenv.ts'
export { labelOf } from '../lib/label.ts'
export { isAnswered, meetsItself } from '../lib/loopback.ts'
export { isStillAt, realPath, realPathIfAny, realPathNow } from '../lib/real-path.ts'
export { isSecretName, isSecretParameter, mask, maskUrls, spellingsOf } from '../lib/secrets.ts'
export { isBelow, isWithin } from '../lib/subpath.ts'
export { readTextFile, readTextFileNow, type TextFault, type TextFile, type TextLimits } from '../lib/text-file.ts'
// What a plugin declares, by `host`.
export type * from './contributions/check.ts'
export type * from './contributions/command.ts'
export type * from './contributions/disk.ts'
export type * from './contributions/feature.ts'
export type * from './contributions/hooks.ts'
export type * from './contributions/hosting.ts'
export type * from './contributions/project-source.ts'
export type * from './contributions/service-type.ts'
export type * from './contributions/table.ts'
export type * from './contributions/topic.ts'
export type * from './contributions/translation.ts'
export type * from './contributions/variable.ts'
// What it learns of projects, and returns of what it has started.
export type * from './projects/instance.ts'
export type * from './projects/project.ts'
export type * from './projects/terminal.ts'
// What it uses of the kernel and of other plugins, by `host.use`.
export type * from './services/api.ts'
export type * from './services/boot.ts'
export type * from './services/catalog.ts'
export type * from './services/folder-watch.ts'
export type * from './services/memory.ts'
export type * from './services/process-table.ts'
export type * from './services/processes.ts'
export type * from './services/traffic.ts'
export type * from './services/worktrees.ts'
// The form of options and tables.
export type { Shape, ShapeOf } from './shape.ts'

/** Major of this contract. */
export const pluginApi = 1

/** Facts about the machine: the only source of platform facts for plugins. */
export interface PlatformFacts {
  readonly os: NodeJS.Platform
  /** Major release of the system's kernel, 0 where that is not known. */
  readonly release: number
  readonly arch: string
  readonly uid: number
}

/**
 * The folders of locald, absolute. `native` has the keeper; `sockets` is for sockets whose paths people write in
 * commands.
 */
export interface Folders {
  readonly data: string
  readonly config: string
  readonly runtime: string
  readonly sockets: string
  readonly native: string
}

/**
 * A plugin, the default export of its module: data, and `setup`, which declares what it provides and starts nothing
 * slow.
 */
export interface Plugin {
  /** The name of its package. */
  readonly name: string
  /** Major of the contract it was written for. */
  readonly api: typeof pluginApi
  /** Order only; absent names are ignored. */
  readonly after?: readonly string[]
  /** Must be provided by another plugin, else this one is off, with the reason. */
  readonly needs?: readonly (keyof Services)[]
  readonly platforms?: readonly NodeJS.Platform[]
  /** Its `[plugins.<name>]` table in locald's own config, or the top-level `table` that its package announces. */
  readonly options?: Shape<unknown>
  setup(host: Host): void | Promise<void>
}

/**
 * Takes a plugin's declarations, during `setup` only. All are applied when `setup` is done, or none when it throws or
 * times out. A wrong declaration throws PLUGIN_SETUP at once.
 */
export interface Host {
  /** Validated by the plugin's `options` shape, defaults filled in; `{}` without one. */
  readonly options: unknown
  readonly platform: PlatformFacts
  readonly folders: Folders
  /** The hooks of this plugin, to be tapped during `setup`. */
  readonly hooks: Hooks
  readonly log: Log
  /** Registers a service type. */
  service<O>(type: ServiceType<O>): void
  /**
   * Registers a way to read a project from a folder without a `locald.toml`: one file, or a detector that looks at
   * several. They are tried in order of registration.
   */
  source(source: ProjectSource | ProjectDetector): void
  /**
   * Registers what the machine can do, or refines a flag of another plugin. A flag of its own is named `plugin:name`
   * and has a title. A function is called each time the flag is read: it must be fast.
   */
  feature(name: FeatureName, state: FeatureState | (() => FeatureState)): void
  has(feature: FeatureName): boolean
  /** Registers a check of `locald doctor`. */
  check(check: Check): void
  command(command: Command): void
  /** Owns a top-level table of projects; one plugin only for each name. */
  table(table: PluginTable): void
  /** Sets a variable for services; one plugin only for each name. */
  variable(variable: Variable): void
  /** Gives host names their URLs; one plugin only. The result reports that they have changed. */
  urls(source: UrlSource): () => void
  /** Shows in the state of services where they are shared; one plugin only. The result reports that it has changed. */
  shares(source: ShareSource): () => void
  /** Keeps a host name, and all below it, from projects. */
  reserve(host: ReservedHost): void
  /** Names a port on which the plugin itself listens, for error messages about that port. */
  port(port: DaemonPort): void
  /** Registers how URLs, also those of pages on disk, are opened in the browser; one plugin only. */
  opener(open: (url: string) => Opening | Promise<Opening>): void
  /** Registers warnings of each `up`; the list is read at that moment. */
  warnings(list: () => readonly Warning[]): void
  /** Adds fields to `locald server status --json`; they are read at that moment. */
  status(fields: () => Readonly<Record<string, StatusValue>>): void
  /**
   * Adds a file to what `locald export session` writes for a bug report: JSON, whose texts the kernel redacts. The name
   * is of lower-case letters and dashes.
   */
  report(name: string, read: () => Promise<unknown>): void
  /** Registers what the plugin has on disk; it is read when a user looks, and may take 10 s. */
  disk(read: ReadDisk): void
  /** Adds to the daemon's API, below a prefix such as `/redis`. */
  routes(prefix: string, plugin: FastifyPluginAsync): void
  /** Registers a topic of `GET /v1/stream`; one plugin only for each name. */
  topic(topic: Topic): void
  /** Provides a service of the container to other plugins, created at its first use, closed in reverse order. */
  provide<K extends keyof Services>(
    name: K,
    make: (use: Services) => Services[K],
    close?: (it: Services[K]) => Promise<void>,
  ): void
  /**
   * The container's services, for hooks, drivers, checks and routes. Throws PLUGIN_SETUP during `setup`, as another
   * plugin can still fail, and PLUGIN_NEEDS where no plugin provides the name.
   */
  readonly use: Services
  /** As `use`, undefined where no plugin provides the name. */
  optional<K extends keyof Services>(name: K): Services[K] | undefined
  /**
   * Registers a function that runs when the daemon stops, the last one first, each within 3 s. Provided services are
   * closed before; hook `closing` runs while all of them still work.
   */
  onClose(close: () => Promise<void> | void): void
}

/** The value of a field of the daemon's status. */
export type StatusValue = string | number | boolean | null

/** Writes to the daemon's log. Never pass it a secret. */
export interface Log {
  info(text: string): void
  warn(text: string): void
  error(text: string): void
}

/**
 * The services of the container, by name. A plugin adds its own by declaration merging:
 * `declare module 'locald/plugin' { interface Services { redis: Redis } }`.
 */
export interface Services {
  /** The kernel's: the API, for a plugin that serves it elsewhere. */
  readonly api: HttpApi
  /** The kernel's: all services of all projects, read only. */
  readonly catalog: Catalog
  /** The kernel's: gives back what the daemon does not need any more. */
  readonly memory: Memory
  /** The kernel's: stops and starts services. Not during `setup`, nor inside a driver. */
  readonly control: Control
  /** The kernel's: the services of repositories of which several checkouts run. */
  readonly worktrees: Worktrees
  /** A platform plugin's: the machine's processes. */
  readonly processTable: ProcessTable
  /** Of the plugin that serves host names: the use of services' ports. */
  readonly traffic: Traffic
  /** A platform plugin's, where the system watches whole trees; else each folder has a watch of its own. */
  readonly openFolder: OpenFolder
  /** exec-runtime's: starts and adopts supervised processes; every driver that has a process uses it. */
  readonly processes: Processes
  /** A platform plugin's: what starts the daemon with the machine. */
  readonly boot: Boot
}
