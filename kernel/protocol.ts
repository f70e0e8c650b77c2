/* The types of the API, for the daemon and the CLI. Over 300 lines: they describe one protocol, and are read together. */

import type { CommandTable, TerminalProgram, TrustOutcome, TrustStep } from './contract/plugin.ts'
import type { ErrorCode, ErrorJson } from './errors.ts'
import type { Health, LogLine, ServiceView, Status } from './events.ts'

export type {
  Argv,
  BootPlan,
  BootStart,
  BootStep,
  BootUnit,
  CommandTable,
  TerminalProgram,
  TrustOutcome,
  TrustStep,
} from './contract/plugin.ts'

/*
 * The shapes of the daemon's HTTP API under `/v1`; `api/routes/` and `/v1/openapi.json` say which route uses which.
 * Streams are NDJSON: one JSON value a line. An error answer is `{"error": ErrorJson}` with the status of its code.
 */

export interface Pong {
  readonly pong: true
  readonly pid: number
  readonly version: string
}

export interface ServerStatus {
  readonly pid: number
  readonly socket: string
  readonly http: number | null
  readonly https: number | null
  readonly version: string
  readonly startedAt: string
}

/** `restart` keeps services running for the next daemon. */
export interface ShutdownBody {
  readonly keepServices: boolean
}

/**
 * `path`: an absolute folder in or above which the project is found. `services` are names of its services,
 * `project:service`, names of projects, or folders relative to it.
 */
export interface TargetBody {
  readonly path: string
  readonly services?: readonly string[]
  /** All projects; `path` is then ignored. */
  readonly all?: boolean
}

export interface UpBody extends TargetBody {
  /** The caller's shell environment; absent: that of the project's last `up`, else ENVIRONMENT_UNKNOWN. */
  readonly env?: Readonly<Record<string, string>>
  /** A name of the caller's for this `up`, by which a stop can take back what it has begun. */
  readonly id?: string
}

export interface StopBody extends TargetBody {
  /** Only what the `up` of this `id` has begun; the `up` is waited for until it has begun all, or has given up. */
  readonly begunBy?: string
}

export interface RestartBody extends UpBody {
  readonly dependents?: boolean
}

/** `service`: a name in the project of `path`, or `project:service`. */
export interface ResetBody {
  readonly path: string
  readonly service: string
}

export interface WaitBody extends TargetBody {
  readonly timeoutMs: number
}

export interface StatusAnswer {
  readonly services: readonly ServiceView[]
}

/** `service`: as the `services` of a target; without any, all of the project of `path`. */
export interface KeysQuery {
  readonly path: string
  readonly service?: string | readonly string[]
  readonly all?: boolean
}

/** The selected services, in the order of their files. */
export interface KeysAnswer {
  readonly keys: readonly string[]
}

export interface ServiceQuery {
  readonly path: string
  readonly service?: string
}

/** As `ServiceQuery`, with the one service. */
export interface OneServiceQuery {
  readonly path: string
  readonly service: string
}

/** `reveal`: secrets are not masked, or with `name`, that of this variable is not; an event says so. */
export interface EnvQuery {
  readonly path: string
  readonly service: string
  readonly reveal?: boolean
  readonly name?: string
}

/** The environment that a service gets at its next start, by name. */
export interface EnvAnswer {
  readonly key: string
  /** Whether a process of it runs, with which `current` compares. */
  readonly running: boolean
  readonly variables: readonly EnvVariable[]
  /** Names that only its process has: a restart removes them. */
  readonly removed: readonly string[]
}

/** A variable of a service: its value, masked where it is a secret, and what set it. */
export interface EnvVariable {
  readonly name: string
  readonly value: string
  readonly secret: boolean
  readonly from: EnvPlace
  /** The places whose value it overrides, the strongest first. */
  readonly overrides: readonly EnvPlace[]
  /** Whether the running process has this value; otherwise a restart applies it. */
  readonly current: boolean
}

/** What sets a variable; `text` is for people: `.env.local:3`, `plugin https`, `shell`. */
export interface EnvPlace {
  readonly layer: 'shell' | 'project' | '.env' | 'env_file' | 'service' | 'locald' | 'plugin'
  readonly plugin: string | null
  readonly file: string | null
  readonly line: number | null
  readonly text: string
}

/** `path`: a folder in or below the project's. */
export interface GraphQuery {
  readonly path: string
}

/** A project's services with their dependencies. */
export interface GraphAnswer {
  readonly project: string
  readonly path: string
  readonly services: readonly GraphService[]
}

export interface GraphService {
  readonly key: string
  /** Keys of the services that it waits for, as configured. */
  readonly dependsOn: readonly string[]
  /**
   * Its last start, in UTC: when it began to wait for these, when its process was created, when it was ready, or
   * had completed where others wait for that. Null: it was not started by this daemon.
   */
  readonly start: {
    readonly beganAt: string
    readonly startedAt: string | null
    readonly readyAt: string | null
  } | null
}

/** A terminal's size is that of its smallest client, in cells. */
export interface TerminalQuery extends ServiceQuery {
  readonly cols: number
  readonly rows: number
}

/** A text frame of a terminal's WebSocket from the daemon. Binary frames are output. */
export type TerminalNote =
  /** Clear all: the next binary frame is the screen as it is, with lines above it. `input`: whether it takes typed text. */
  | { readonly screen: { readonly cols: number; readonly rows: number; readonly input: boolean } }
  /** The terminal's size has changed. */
  | { readonly size: readonly [cols: number, rows: number] }
  /** Whether it takes typed text has changed, as its service has exited or started. */
  | { readonly input: boolean }
  /** Something to show beside the terminal. */
  | { readonly notice: string }

/** A text frame to the daemon. Binary frames, of at most 64 KiB, are typed. */
export type TerminalControl =
  | { readonly resize: readonly [cols: number, rows: number] }
  /** How many bytes of output the client has shown since its last one; without them it gets no more than 512 KiB. */
  | { readonly ack: number }

/** What one service is, and how it is connected. */
export interface DetailsAnswer {
  readonly service: ServiceView
  /** Its working folder, absolute. */
  readonly dir: string
  /** Its command, where its type has one. */
  readonly command: string | null
  /** Its host names, the main one first. */
  readonly hosts: readonly string[]
  /** Its further ports on this machine, by the ports inside. */
  readonly ports: Readonly<Record<string, number>>
  readonly dependencies: readonly DependencyView[]
  /** Keys of the services that depend on it. */
  readonly dependents: readonly string[]
  /** The file with its output. */
  readonly logFile: string
  /** The configuration of its files at present, without `env`: keys below its own. */
  readonly config: readonly ConfigValue[]
  /** Why the configuration cannot be read. */
  readonly problem?: ErrorJson
}

/** A dependency of a service; `met`: whether the service can start as far as this one is concerned. */
export interface DependencyView {
  readonly key: string
  readonly name: string
  readonly condition: 'started' | 'ready' | 'completed'
  readonly status: Status
  readonly health: Health
  readonly met: boolean
}

/** What has happened to a service, the oldest first: the last 200 entries. */
export interface HistoryAnswer {
  readonly key: string
  readonly entries: readonly HistoryEntry[]
}

/** `state`: a new status or health, `text` says why; `exit`: a process has exited with `code` or by `signal`. */
export interface HistoryEntry {
  readonly time: string
  readonly kind: 'state' | 'exit' | 'warning'
  readonly status: Status | null
  readonly health: Health
  readonly text: string | null
  readonly code: number | null
  readonly signal: string | null
}

/**
 * The usage of a service at the times when someone looked: ms since the epoch, CPU in percent of one core, bytes of
 * memory. The last ten minutes of a page that was open.
 */
export interface UsageAnswer {
  readonly key: string
  readonly samples: readonly (readonly [number, number, number])[]
}

/** Explains a service's state: `text` in one sentence, `because` step by step, nearest cause last. */
export interface WhyAnswer {
  readonly key: string
  readonly text: string
  readonly because: readonly string[]
  /** The same as a tree; absent in the answers of older daemons. */
  readonly tree?: WhyStep
  /** Of a service that is not well: what may have caused it, most likely first. Absent of a healthy one. */
  readonly changes?: readonly Change[]
  /** Since when the changes are: the last time that it was ready, UTC ISO 8601; null: never, as far as is known. */
  readonly wellAt?: string | null
  /** The folder in which the commands of the changes are run, absolute. */
  readonly folder?: string
}

/** A fact about a service that is not well: what has changed since it was, or what is missing. */
export interface Change {
  /** One sentence without a full stop. It never contains a value of an environment variable. */
  readonly text: string
  /** The shell command that shows the change, or undoes it; null: there is none. */
  readonly command: string | null
  /** What has changed: `file`, `commit`, `environment`, `configuration`, `packages`, `tool`, `port`, `data` and others. */
  readonly kind: string
  /** When it changed, UTC ISO 8601; null: not known. */
  readonly at: string | null
}

/** A service in a `WhyAnswer`. */
export interface WhyStep {
  readonly key: string
  readonly name: string
  readonly status: Status
  readonly health: Health
  /** Why it is in its state; null: its causes say it, or nothing is known. */
  readonly reason: string | null
  /** What else is known: "restarted 4 times", "failed since 12:00:01". */
  readonly facts: readonly string[]
  /** The last lines of its output, where it is not well and has no causes. */
  readonly lines: readonly string[]
  /** The dependencies that it waits for, or failed because of. */
  readonly causes: readonly WhyStep[]
  /** Names of the services that wait for it, or failed because of it. */
  readonly dependents: readonly string[]
}

/** `env`: the caller's shell environment; `argv`: the command; `tty`: the caller has a terminal. */
export interface OneOffBody {
  readonly path: string
  readonly service: string
  readonly env: Readonly<Record<string, string>>
  readonly argv?: readonly string[]
  readonly tty?: boolean
}

/** How to run a one-off command in a service's place: `env` is all of its environment. Secrets: never print it. */
export interface OneOffAnswer {
  readonly dir: string
  /** What to run in place of the command; absent: the command itself. */
  readonly argv?: readonly string[]
  readonly env: Readonly<Record<string, string>>
  /** Keys of the services that the command may want to reach, and which do not run. */
  readonly notRunning: readonly string[]
}

/** A URL to be opened: of http or https. */
export interface OpenerQuery {
  readonly url: string
}

/** `argv` opens the URL; null where the machine cannot. */
export interface OpenAnswer {
  readonly url: string
  readonly argv: readonly string[] | null
  readonly hint?: string
}

/**
 * `tail`: the last lines of all services together, or with `each`, of each. `since`: UTC ISO 8601. `resume`: instead of
 * that, of single services, the last line that the reader has, as `TIME STREAM HASH COUNT KEY`: the first 16 digits of
 * the SHA-256 of its text, and how many lines of that time and text the reader has. `grep`: a JavaScript regular
 * expression. `partial`: with `follow` and without `grep`, an unfinished line also comes in pieces before it comes
 * whole.
 */
export interface LogsQuery extends KeysQuery {
  readonly tail?: number
  readonly each?: boolean
  readonly since?: string
  readonly until?: string
  readonly resume?: readonly string[]
  readonly grep?: string
  readonly follow?: boolean
  readonly partial?: boolean
}

/** What to search services' output for. `since` and `until` are included; `limit`: matches. */
export interface LogSearchQuery extends KeysQuery {
  readonly text: string
  /** Whether the text is a JavaScript regular expression. */
  readonly regex?: boolean
  /** Whether upper and lower case differ. */
  readonly case?: boolean
  readonly since?: string
  readonly until?: string
  readonly limit?: number
}

/** A line of the answer: matches come from the newest block of lines on; the last line is `done` or `error`. */
export type LogSearchLine =
  | { readonly match: LogLine }
  | { readonly progress: LogSearchProgress }
  /** `isComplete`: all lines were searched; else the limit was reached. */
  | { readonly done: LogSearchProgress & { readonly isComplete: boolean } }
  | { readonly error: ErrorJson }

/** How far a search is. */
export interface LogSearchProgress {
  /** The time back to which all services were searched; null: nothing was yet. */
  readonly scannedTo: string | null
  readonly scannedBytes: number
  readonly totalBytes: number
  readonly matches: number
}

/** A project that was started once, running or not. */
export interface KnownProjectView {
  readonly name: string
  readonly path: string
  readonly domain: string
  readonly pinned: boolean
  /** Whether its folder is there. */
  readonly exists: boolean
  /** UTC ISO 8601 of the last `up`. */
  readonly usedAt: string
  /** The branch of the linked git worktree that it is in, as in its domain; absent elsewhere. */
  readonly branch?: string
  /** The same folder in the main checkout, where it is in a linked git worktree. */
  readonly mainCheckout?: string
  /** Why it could not be started with the daemon. */
  readonly problem: string | null
}

/** Topics of the stream. `service`: keys; `after`: the id of the last event, as the header `Last-Event-ID`. */
export interface StreamQuery {
  readonly topic: readonly string[]
  readonly service?: readonly string[]
  readonly tail?: number
  readonly after?: string
}

/** The first value of the topic `events`, also after each reconnect. */
export interface StreamSnapshot {
  readonly event: 'snapshot'
  readonly services: readonly ServiceView[]
  readonly projects: readonly KnownProjectView[]
}

/** A value of the topic `usage`: the services whose usage has changed since the last value. */
export interface StreamUsage {
  readonly services: readonly ServiceUsage[]
  readonly daemon: { readonly cpu: number; readonly memory: number }
}

/** CPU in percent of one core, memory in bytes; null while nothing runs. */
export interface ServiceUsage {
  readonly key: string
  readonly cpu: number | null
  readonly memory: number | null
}

export interface RegistryAnswer {
  readonly projects: readonly KnownProjectView[]
}

/** `projects`: names; none: the project that `path` is in. */
export interface PinBody {
  readonly path: string
  readonly projects: readonly string[]
  readonly pinned: boolean
}

/** Projects whose folder is missing: the forgotten ones, and those that were kept because their services still run. */
export interface CleanAnswer {
  readonly forgotten: readonly KnownProjectView[]
  readonly kept: readonly KnownProjectView[]
}

export interface PluginView {
  readonly name: string
  readonly version: string
  readonly from: 'built-in' | 'npm'
  readonly state: 'active' | 'off' | 'broken'
  /** Why it is off or broken. */
  readonly reason: string | null
  /** The code of that reason; absent if the user disabled the plugin. */
  readonly code?: ErrorCode
  readonly types: readonly string[]
  readonly features: readonly string[]
  /** What is known of its features that are on, by their names, such as the version of what provides one. */
  readonly details?: Readonly<Record<string, string>>
  readonly commands: readonly string[]
  /** ms of its setup. */
  readonly setupMs: number | null
}

export interface PluginsAnswer {
  readonly plugins: readonly PluginView[]
}

export interface CheckView {
  readonly plugin: string
  readonly id: string
  readonly severity: 'critical' | 'important' | 'optional'
  readonly status: 'pass' | 'warn' | 'fail' | 'skip'
  readonly summary: string
  readonly fix: string | null
}

/** `check`: ids of the checks to run; without any, all. */
export interface DoctorQuery {
  readonly check?: readonly string[]
}

export interface DoctorAnswer {
  readonly ok: boolean
  readonly checks: readonly CheckView[]
  /** What to do, in the checks' order; what two checks ask for stands here once. */
  readonly fixes: readonly string[]
  /** Those of the fixes that a command does. */
  readonly commands: readonly FixCommand[]
}

/** A shell command that fixes a problem; `root`: it needs root, so that only the user runs it. */
export interface FixCommand {
  readonly command: string
  readonly root: boolean
}

/** `command`: one of the `commands` of the last `DoctorAnswer`, which needs no root. */
export interface FixBody {
  readonly command: string
}

/** How a fix went: `exitCode` null: it timed out. `output`: what it printed, the last 64 KB. */
export interface FixAnswer {
  readonly command: string
  readonly exitCode: number | null
  readonly output: string
}

/** What locald has on disk, the largest first. */
export interface DiskAnswer {
  /** The data folder. */
  readonly path: string
  readonly bytes: number
  /** Free bytes on its disk. */
  readonly freeBytes: number
  /** Whether all of it was counted in time. */
  readonly complete: boolean
  readonly entries: readonly DiskEntry[]
}

/** `logs` and `data` belong to a service; `other` to locald and its plugins. */
export interface DiskEntry {
  readonly kind: 'logs' | 'data' | 'other'
  readonly project: string | null
  readonly service: string | null
  /** Absolute. */
  readonly path: string
  readonly bytes: number
}

export interface ConfigBody {
  readonly path: string
  readonly env: Readonly<Record<string, string>>
}

/** One value of the merged configuration; `file` null: a default. `env` values are never shown resolved. */
export interface ConfigValue {
  readonly key: string
  readonly value: unknown
  readonly file: string | null
  readonly line: number | null
}

export interface ConfigAnswer {
  readonly project: string
  readonly path: string
  readonly values: readonly ConfigValue[]
  /** What an `up` from the caller's shell would not find a value for. */
  readonly unresolved?: ErrorJson
  /** What an `up` from the caller's shell would warn of. */
  readonly warnings?: readonly ConfigWarning[]
}

export interface ConfigWarning {
  readonly message: string
  readonly hint: string
}

export interface AllowBody {
  /** A folder, or a file in it; absolute. */
  readonly path: string
}

/** The folder whose project files are taken from now on, of these users; none where they are the caller's anyway. */
export interface AllowAnswer {
  readonly path: string
  readonly owners: readonly number[]
}

export interface CommandBody {
  readonly argv: readonly string[]
  readonly cwd: string
  /** The outcomes of the steps in the previous answer. */
  readonly outcomes?: readonly TrustOutcome[]
}

/** What `--help` prints of a plugin's command. */
export interface CommandView {
  readonly name: string
  readonly description: string
  readonly usage?: string
  readonly details?: string
}

export interface CommandAnswer {
  readonly exitCode: number
  readonly text: string
  readonly table?: CommandTable
  readonly data?: unknown
  /** For the CLI to make, and then to run the command again with their outcomes. */
  readonly steps?: readonly TrustStep[]
  /** For the CLI to run in the caller's terminal. */
  readonly terminal?: TerminalProgram
}
