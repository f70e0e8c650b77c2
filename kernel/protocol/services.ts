import type { ErrorJson } from '../errors.ts'
import type { Health, ServiceView, Status } from '../events.ts'
import type { ConfigValue } from './config.ts'

export interface ServiceQuery {
  readonly path: string
  readonly service?: string
}

/** As `ServiceQuery`, with the one service. */
export interface OneServiceQuery {
  readonly path: string
  readonly service: string
}

/** What one service is, and how it is connected. */
export interface DetailsAnswer {
  readonly service: ServiceView
  /** Its working folder, absolute. */
  readonly dir: string
  /** The command that runs, where its type has one. */
  readonly command: string | null
  /** In what the command differs from the written one, and why. */
  readonly commandReason: string | null
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
