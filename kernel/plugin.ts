import type { FastifyPluginAsync } from 'fastify'
import type { AsyncSeriesHook, AsyncSeriesWaterfallHook } from 'tapable'
import type { LocaldEvent, ServiceView } from './events.ts'
import type { Shape } from './shape.ts'

export type { Health, LocaldEvent, ServiceView, Status } from './events.ts'
export type { Shape, ShapeOf } from './shape.ts'

/** Major of this contract. */
export const pluginApi = 1

/** Feature flags: what this machine can do. Platform plugins register each; others may refine one. */
export const featureNames = [
  'containers',
  'cgroups',
  'shim',
  'privileged-ports',
  'hosts-file',
  'trust-store',
  'process-groups',
  'open-browser',
  'boot-service',
  'vm',
] as const
export type FeatureName = (typeof featureNames)[number]

/** On, or off with a reason and what to do about it. */
export interface FeatureState {
  readonly on: boolean
  readonly reason?: string
  readonly hint?: string
}

/** What the daemon was told of its machine: the only source of platform facts. */
export interface PlatformFacts {
  readonly os: NodeJS.Platform
  readonly arch: string
  readonly uid: number
}

/** Where locald's own things are, absolute. `native` holds the keeper. */
export interface Folders {
  readonly data: string
  readonly config: string
  readonly runtime: string
  readonly native: string
}

/** A plugin: what it is, as data, and `setup`, which declares and starts nothing slow. It is a module's default export. */
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
  /** Its `[plugins.<name>]` table in locald's own config. */
  readonly options?: Shape<unknown>
  setup(host: Host): void | Promise<void>
}

/**
 * What a plugin declares itself with, during `setup` only: all of it is taken over when `setup` is done, or none when it throws
 * or takes too long. What is declared wrongly throws PLUGIN_SETUP at once.
 */
export interface Host {
  /** Validated by the plugin's `options` shape, defaults filled in; `{}` without one. */
  readonly options: unknown
  readonly platform: PlatformFacts
  readonly folders: Folders
  /** Of this plugin; to be tapped during `setup`. */
  readonly hooks: Hooks
  readonly log: Log
  /** A runtime driver. */
  service<O>(type: ServiceType<O>): void
  /** A way to read a project from a folder without a `locald.toml`; asked in order of registration. */
  source(source: ProjectSource): void
  /** Says what the machine can do; the last to speak of a flag refines it. */
  feature(name: FeatureName, state: FeatureState): void
  has(feature: FeatureName): boolean
  /** For `locald doctor`. */
  check(check: Check): void
  command(command: Command): void
  /** Adds to the daemon's API, below a prefix such as `/redis`. */
  routes(prefix: string, plugin: FastifyPluginAsync): void
  /** Offers a service of the container to other plugins; made at its first use, closed in reverse order. */
  provide<K extends keyof Services>(
    name: K,
    make: (use: Services) => Services[K],
    close?: (it: Services[K]) => Promise<void>,
  ): void
  /**
   * The container's services: to be read in hooks, drivers, checks and routes. PLUGIN_SETUP during `setup`, as another plugin may
   * yet fail; PLUGIN_NEEDS where no plugin provides the name.
   */
  readonly use: Services
  /**
   * Called when the daemon ends, the last one first, each within 3 s. What plugins provide is closed before; hook `closing` runs while
   * all of it still works.
   */
  onClose(close: () => Promise<void> | void): void
}

/** Lines for the daemon's own log. Never give it a secret. */
export interface Log {
  info(text: string): void
  warn(text: string): void
  error(text: string): void
}

/**
 * What plugins offer each other by name. A plugin adds its own by declaration merging:
 * `declare module 'locald/plugin' { interface Services { redis: Redis } }`.
 */
export interface Services {
  /** The kernel's: all services of all projects, read only. */
  readonly catalog: Catalog
  /** The kernel's: has services stopped and started. Not during `setup`, nor from inside a driver. */
  readonly control: Control
  /** A platform plugin's: the machine's processes. */
  readonly processTable: ProcessTable
  /** exec-runtime's: starts and adopts supervised processes; every driver that has a process uses it. */
  readonly processes: Processes
  /** The proxy's: what URL a host name has. */
  readonly web: Web
  /** A platform plugin's: the person's desktop. */
  readonly desktop: Desktop
  /** A platform plugin's: what starts the daemon with the machine. */
  readonly boot: Boot
  /** A platform plugin's: where the privileged helper is. */
  readonly shim: ShimPlace
  /** A platform plugin's, where there can be cgroups. */
  readonly cgroups: Cgroups
  /** The privileges plugin's: what needs root, done by the privileged helper. */
  readonly privileges: Privileges
}

/** The privileged helper, locald-shim: where it is and what it can be used for. */
export interface ShimState extends FeatureState {
  readonly path: string
  /** Installed with one capability: it binds ports, and does nothing else. */
  readonly portsOnly: boolean
}

/** The privileged helper as the platform has it. */
export interface ShimPlace {
  /** Looks anew whether this user can use it. */
  look(): Promise<ShimState>
}

/** A cgroup for each service (Linux, cgroups(7)). */
export interface Cgroups {
  /** Makes one for a service of this name; the folder, undefined where there can be none. */
  make(name: string): Promise<string | undefined>
  /** Kills what is left in it, and removes it. */
  remove(folder: string): Promise<void>
}

/** A listening socket on one address of loopback, to be given to `server.listen(handle)`, which then owns it. */
export interface BoundSocket {
  readonly address: string
  readonly handle: object
}

/** What needs root. Each is one run of the helper; rejects with FEATURE_OFF and a hint where it is not installed. */
export interface Privileges {
  /**
   * A port of 127.0.0.1 and, where the machine has it, ::1. For who could not listen there without help (EACCES).
   * Rejects with PORT_TAKEN, or SHIM_FAILED.
   */
  listen(port: 80 | 443): Promise<readonly BoundSocket[]>
  /** Makes the user's block of the hosts file have exactly these names, for loopback; none: removes it. SHIM_FAILED. */
  hosts(names: readonly string[]): Promise<void>
  /** Moves the daemon into a cgroup of the user's own (Linux); the folder in which others may be made. SHIM_FAILED. */
  delegateCgroup(): Promise<string>
  /**
   * Puts a CA certificate (PEM, one) into the system's store, or takes it out. SHIM_FAILED unless it is a CA whose critical
   * name constraints permit only `localhost`, `test` and `internal`, and no IP address but of loopback.
   */
  trust(pem: string): Promise<void>
  untrust(pem: string): Promise<void>
}

/** The person's desktop session; the CLI runs what it says, as the daemon has no display. */
export interface Desktop {
  /** The command that opens a URL in the default browser. */
  openArgv(url: string): readonly [string, ...string[]]
}

/** A program and its words. */
export type Argv = readonly [string, ...string[]]

/** The daemon as something else than the CLI is to start it. */
export interface BootUnit {
  /** Undefined: the user's own daemon. */
  readonly sandbox: string | undefined
  /** The daemon, in the foreground; it ends with 75 where another one runs. */
  readonly run: Argv
  /** Stops its services and it; the last word is completed by its pid. */
  readonly shutdown: Argv
  readonly env: Readonly<Record<string, string>>
  /** The file for what it writes before its own log is open. */
  readonly log: string
}

/** What starts the daemon with the machine: one file, and the commands by which the system takes it over. */
export interface BootPlan {
  readonly file: string
  readonly text: string
  /** When the file is there. */
  readonly load: readonly Argv[]
  /** Starts the daemon, then and later; no matter if it runs. */
  readonly start: Argv
  /** Before another file is written or this one is removed; they may fail, where nothing was loaded. */
  readonly unload: readonly Argv[]
  /** When the file was removed. */
  readonly removed: readonly Argv[]
  /** What the person may want to do besides. */
  readonly hint?: string
}

/** A service manager of the user's. The CLI does what it plans, in the person's session. */
export interface Boot {
  /** Rejects with FEATURE_OFF where there is none, USAGE where a path or a variable cannot be written down. */
  plan(unit: BootUnit): Promise<BootPlan>
}

/** Public names: set by the proxy. */
export interface Web {
  /** The URL a browser opens for a host name such as `web.shop.localhost`, without a trailing slash. */
  url(host: string): string
  /** The real ports; null where not listening. */
  readonly http: number | null
  readonly https: number | null
  /** PEM file of the local CA when HTTPS is on. */
  readonly caFile?: string | undefined
}

/** A service in the catalog: its view and where it can be reached. */
export interface CatalogEntry extends ServiceView {
  /** Names that belong to it, the main one first; empty for workers and databases. */
  readonly hosts: readonly string[]
  /** Address and port it was last seen to listen on. */
  readonly upstream: { readonly host: string; readonly port: number } | null
  /** What it speaks there; absent: HTTP/1.1. */
  readonly protocol?: Protocol | undefined
}

/** `h2c`: HTTP/2 without TLS from the first byte on (RFC 9113 section 3.3), as gRPC servers speak it. */
export type Protocol = 'http' | 'h2c'

/** A same-origin path on a project's domain. */
export interface Route {
  readonly prefix: string
  readonly service: string
  readonly stripPrefix: boolean
}

/** A project in the catalog. */
export interface CatalogProject {
  readonly name: string
  readonly path: string
  readonly domain: string
  readonly routes: readonly Route[]
}

/** All projects that were started since the daemon knows them, read only. */
export interface Catalog {
  projects(): readonly CatalogProject[]
  services(): readonly CatalogEntry[]
  get(key: string): CatalogEntry | undefined
  /** Resolves when the service is not waiting, starting or restarting any more (or is gone: undefined); rejects when aborted. */
  settled(key: string, signal: AbortSignal): Promise<CatalogEntry | undefined>
  /** Its last lines of output, without ANSI codes. */
  tail(key: string, lines: number): Promise<readonly string[]>
  /** Every event of the daemon; the result stops it. */
  on(listener: (event: LocaldEvent) => void): () => void
}

/** What plugins may do with services, one after the other with a project's other operations. */
export interface Control {
  /** Runs `work` while the service does not run, and starts it again if it ran. A service nobody knows does not run. */
  paused<T>(key: string, work: () => Promise<T>): Promise<T>
  /** Stops the service for good, until it is started again. */
  stop(key: string): Promise<void>
}

/** A process seen by the table. `start` tells it from any later process with the same pid. */
export interface ProcessInfo {
  readonly pid: number
  readonly ppid: number
  readonly start: string
}

/** A supervised tree: its keeper, main process, inherited mark (Linux) and terminal. */
export interface ProcessTree {
  readonly keeper: number
  readonly pid: number
  /** Decimal unsigned 64-bit value every process of the tree inherited as its RLIMIT_RTTIME soft limit, where the platform has one. */
  readonly mark?: string
  readonly pgid: number
  /** Folder of the service's own cgroup, if it joined one. */
  readonly cgroup?: string
  /** Port leased to the service. */
  readonly port?: number
  /** When it was started, ms since the epoch. */
  readonly startedMs: number
  /** Start tokens of the keeper and the main process, empty where one had ended at once: what else has their pids is a stranger. */
  readonly starts?: { readonly keeper: string; readonly main: string }
}

/** CPU time since start in ms, resident memory in bytes. */
export interface Usage {
  readonly cpuMs: number
  readonly memory: number
}

/** A listening TCP socket. */
export interface Listener {
  readonly pid: number
  readonly address: string
  readonly port: number
}

/** The machine's processes, as the platform shows them. A zombie counts as gone. */
export interface ProcessTable {
  /** Whether a keeper gets the orphans of its service back and a mark is inherited (Linux); else it has process groups only. */
  readonly orphansReturn: boolean
  /** The start token of a live process: never trust a pid without it. */
  start(pid: number): Promise<string | undefined>
  /** All live processes of a tree, keeper not included. */
  members(tree: ProcessTree): Promise<readonly ProcessInfo[]>
  /** One usage for each tree, in order; one look at the table for all. */
  usage(trees: readonly ProcessTree[]): Promise<readonly Usage[]>
  /** What the given processes listen on. */
  listeners(pids: readonly number[]): Promise<readonly Listener[]>
  /** Who listens on a port of this machine, if it can be told: "node (pid 123)". */
  holder(port: number): Promise<string | undefined>
  /** Kills (SIGKILL) what is left of a tree whose keeper is gone: by mark, and the given earlier members whose start token still fits. The number killed. */
  sweep(tree: ProcessTree, seen: readonly ProcessInfo[]): Promise<number>
}

/** What to run. `dir` absolute; `env` complete; pipes when `tty` is false. */
export interface ProcessSpec {
  readonly key: string
  readonly argv: readonly [string, ...string[]]
  readonly dir: string
  readonly env: Readonly<Record<string, string>>
  readonly tty: boolean
  readonly log: LogSink
  readonly port: number | undefined
  readonly stopSignal: string
  /** ms */
  readonly stopTimeout: number
}

/** Starts processes that outlive the daemon. */
export interface Processes {
  /** Rejects with SPAWN_FAILED when the program cannot be run. */
  spawn(spec: ProcessSpec): Promise<Instance>
  /** From an Instance's `state` of an earlier daemon; one that has ended meanwhile tells its exit. Undefined when it is no such state. */
  adopt(state: unknown, log: LogSink): Promise<Instance | undefined>
  /**
   * After all of an earlier daemon's services were adopted: stops what is held but was neither started nor adopted by this daemon (it
   * was started in the moment the earlier one was killed), and removes what ended ones left.
   */
  tidy(): Promise<void>
}

/** Where a service's output goes: a file that a keeper writes, or lines from the daemon. */
export interface LogSink {
  /** Absolute path of the current file (CRI lines: `<RFC 3339 µs> <stream> <F|P> <text>`). */
  readonly file: string
  readonly maxBytes: number
  readonly maxFiles: number
  /** For output the daemon itself has. */
  write(stream: 'stdout' | 'stderr' | 'locald', text: string): void
  /** A keeper wrote to the file. */
  changed(): void
  /** Called at once and on each change with whether anyone is reading along. The result stops it. */
  onFollowed(listener: (followed: boolean) => void): () => void
}

/** A runtime driver for one service type. */
export interface ServiceType<O> {
  readonly type: string
  /** The type of a service table without `type`. One driver only. */
  readonly isDefault?: boolean
  /** Its own keys; the kernel adds the common ones. */
  readonly shape: Shape<O>
  /** Off → a refusal with the flag's hint. */
  readonly requires?: readonly FeatureName[]
  /** From where it sees other services. */
  readonly reach?: 'host' | 'guest'
  /** `web`: a port and a name; `port`: a port only; `none`: neither. Default `web`. */
  readonly network?: 'web' | 'port' | 'none'
  /** What a `web` service speaks on its port; default HTTP/1.1. */
  protocol?(options: O): Protocol
  /** Slow, once, its own step: initdb, image pull. */
  prepare?(run: Run<O>): Promise<void>
  start(run: Run<O>): Promise<Instance>
  /** After a daemon restart. */
  adopt?(run: Run<O>, state: unknown): Promise<Instance | undefined>
  /** `locald service reset`. */
  reset?(run: Run<O>): Promise<void>
  /** What `${services.NAME.*}` may read besides port, host and url. */
  exports?(run: Run<O>): Record<string, string>
  /** The argv and the shell-less environment of a one-off command in the service's place; default: as given. */
  oneOff?(
    run: Run<O>,
    argv: readonly string[],
  ): { readonly argv: readonly string[]; readonly env: Record<string, string> }
}

/** Which project, by value. */
export interface ProjectRef {
  readonly name: string
  readonly path: string
  readonly domain: string
}

/** The service's scope, as a plain object. */
export interface Run<O> {
  readonly project: ProjectRef
  readonly name: string
  readonly key: string
  readonly options: O
  readonly port: number | undefined
  readonly env: Readonly<Record<string, string>>
  /** Working folder, absolute. */
  readonly dir: string
  /** A folder of the service's own for data that stays; made on demand by the driver. */
  readonly data: string
  readonly stopSignal: string
  /** ms */
  readonly stopTimeout: number
  readonly log: LogSink
  readonly signal: AbortSignal
  step(text: string, progress?: { done: number; total: number }): void
}

/** How a process ended: a code, or the name of the signal that ended it. Both null: unknown. */
export interface Exit {
  readonly code: number | null
  readonly signal: string | null
}

/** What an instance tells of itself while it runs. */
export type InstanceEvent =
  | {
      readonly event: 'notify'
      readonly ready: boolean
      readonly stopping: boolean
      readonly status: string | null
      readonly pid: number
    }
  /** The main process ended with 0 and others of its tree run on. */
  | { readonly event: 'main'; readonly exit: Exit; readonly left: number }

/** A started service. */
export interface Instance {
  readonly pid: number | null
  /** ms since the epoch. */
  readonly startedMs: number
  /** Resolves when nothing of it is left; never rejects. */
  readonly exited: Promise<Exit>
  /** JSON that adopt() gets back. */
  readonly state: unknown
  stop(how: { signal: string; graceMs: number }): Promise<void>
  /** Used when the user gave no health check. */
  probe?(): Promise<boolean>
  /** Events since the start are replayed to a new listener. */
  on?(listener: (event: InstanceEvent) => void): () => void
  /** Ends what the main process left behind; used after a `main` event. */
  finish?(): void
  /** Tree for usage and listeners; absent for what is no host process. */
  readonly tree?: ProcessTree
}

/** A project's raw tables as `locald.toml` would have them, made from another file. */
export interface ProjectSource {
  /** The file looked for in the project's folder. */
  readonly file: string
  /** Services by name; undefined when the file does not describe a project. Throws an Error whose message names the line. */
  read(text: string): Readonly<Record<string, Readonly<Record<string, unknown>>>> | undefined
}

/** A check of `locald doctor`. `critical` alone makes doctor exit 1; nothing optional is critical. */
export interface Check {
  readonly id: string
  readonly title: string
  run(): Promise<CheckResult>
}

export interface CheckResult {
  readonly status: 'pass' | 'warn' | 'fail' | 'skip'
  readonly severity: 'critical' | 'important' | 'optional'
  readonly summary: string
  /** What mends it, in a sentence. One that begins "Run `COMMAND`." or "Run `COMMAND`:" is done by `doctor --fix`, unless it has sudo. */
  readonly fix?: string
}

/** A CLI command of a plugin: runs in the daemon and answers with text and a value for `--json`. */
export interface Command {
  readonly name: string
  readonly description: string
  run(argv: readonly string[], context: { readonly cwd: string; readonly signal: AbortSignal }): Promise<CommandResult>
}

export interface CommandResult {
  readonly exitCode: number
  readonly text: string
  readonly data?: unknown
}

/**
 * Named moments. All run in the plugins' order, one after the other, each plugin's part within 10 s (`closing`: 3 s). A failure is
 * PLUGIN_HOOK with the plugin's name.
 */
export interface Hooks {
  /** All plugins are loaded; before the API answers. */
  readonly booted: AsyncSeriesHook<[]>
  /** May rewrite a project's plan before anything of it starts. */
  readonly project: AsyncSeriesWaterfallHook<[ProjectPlan]>
  /** May add to a service's environment. */
  readonly env: AsyncSeriesWaterfallHook<[Record<string, string>, ServiceRef, EnvContext]>
  readonly starting: AsyncSeriesHook<[ServiceRef]>
  readonly ready: AsyncSeriesHook<[ServiceRef]>
  readonly gone: AsyncSeriesHook<[ServiceRef]>
  /** A project has stopped. */
  readonly down: AsyncSeriesHook<[ProjectRef]>
  readonly closing: AsyncSeriesHook<[]>
}

/** What the `env` hook may ask about the service whose environment it is. */
export interface EnvContext {
  /** The services it depends on, in the order of its `depends_on`. */
  readonly dependencies: readonly { readonly name: string; readonly type: string }[]
  /** Whether the project itself sets a variable: what is in the caller's shell does not count. */
  isOwn(variable: string): boolean
  /** The value of `${services.NAME.FIELD}`. */
  lookup(service: string, field: string): string | undefined
}

/** Which service, by value. */
export interface ServiceRef {
  readonly key: string
  readonly name: string
  readonly type: string
  readonly project: ProjectRef
}

/** When a dependency counts as met. */
export type Condition = 'started' | 'ready' | 'completed'

/** A health check, durations in ms. */
export type HealthCheck = {
  readonly interval: number
  /** Whether the user chose the interval; if not, the time until ready is probed faster. */
  readonly intervalGiven: boolean
  readonly timeout: number
} & (
  | { readonly type: 'http'; readonly path: string }
  | { readonly type: 'tcp' }
  | { readonly type: 'command'; readonly command: string }
  | { readonly type: 'notify' }
  | { readonly type: 'log'; readonly pattern: string }
)

/** The keys every service type has; durations in ms, paths as written. */
export interface CommonOptions {
  readonly workdir: string | undefined
  readonly port: number | undefined
  readonly env: Readonly<Record<string, string>>
  readonly envFile: readonly string[]
  readonly dependsOn: Readonly<Record<string, Condition>>
  readonly healthCheck: HealthCheck | undefined
  readonly readyTimeout: number
  readonly restart: 'no' | 'on-failure' | 'always'
  readonly stopSignal: string
  readonly stopTimeout: number
  readonly watch: readonly string[]
}

/** A service as configured, its type's options validated. */
export interface ServicePlan {
  readonly name: string
  readonly type: string
  readonly common: CommonOptions
  readonly options: unknown
}

/** A project as configured. */
export interface ProjectPlan {
  readonly name: string
  readonly path: string
  readonly domain: string
  /** `[env]` of all layers, weakest first, merged. */
  readonly env: Readonly<Record<string, string>>
  readonly services: readonly ServicePlan[]
  readonly routes: readonly Route[]
  /** Files whose change means a reload, absolute, whether they exist or not. */
  readonly files: readonly string[]
}
