import type { LocaldEvent, ServiceView } from '../../events.ts'
import type { Protocol } from '../contributions/service-type.ts'
import type { Route } from '../projects/project.ts'

/** All projects that were ever started under this daemon, read only. */
export interface Catalog {
  projects(): readonly CatalogProject[]
  /** Whether a project of a name was ever started whose folder exists. */
  isKnown(name: string): boolean
  services(): readonly CatalogEntry[]
  get(key: string): CatalogEntry | undefined
  /**
   * Resolves when the service is not waiting, starting or restarting any more; undefined: it was removed. Rejects when
   * aborted.
   */
  settled(key: string, signal: AbortSignal): Promise<CatalogEntry | undefined>
  /**
   * Returns how long a service and what it depends on may take to become ready, one after the other: ms. 0 for an
   * unknown one.
   */
  startLimit(key: string): number
  /**
   * For a host name of a project that the daemon itself is about to start: resolves when its services are known, or
   * when they cannot be loaded. Undefined for all other names.
   */
  arriving(host: string): Promise<void> | undefined
  /**
   * Finds out why a running service cannot be reached; its state shows the result as its reason. Undefined: no cause
   * was found, or there is no such service.
   */
  examine(key: string): Promise<Fault | undefined>
  /**
   * Returns whether a process of this user listens on the port of a service that does not run: one that was started in
   * its place, by `locald run` or in a debugger. Services and the daemon itself do not count.
   */
  hasStandIn(key: string): Promise<boolean>
  /** Returns the last lines of output since its last start, without ANSI codes. */
  tail(key: string, lines: number): Promise<readonly string[]>
  /**
   * Returns the values in the `.env` and `env_file` files of a project, which no text for other people may have; none
   * for an unknown one.
   */
  secrets(project: string): Promise<readonly string[]>
  /** Adds a listener for every event of the daemon; the result removes it. */
  on(listener: (event: LocaldEvent) => void): () => void
}

/** Why a service cannot be reached although it runs, and what to do about it. */
export interface Fault {
  readonly message: string
  readonly hint: string
}

/** A service in the catalog: its view and where it can be reached. */
export interface CatalogEntry extends ServiceView {
  /** Its host names, the main one first; empty for workers and databases. */
  readonly hosts: readonly string[]
  /** Address and port where it last listened. */
  readonly upstream: { readonly host: string; readonly port: number } | null
  /** The protocol there; absent: HTTP/1.1. */
  readonly protocol?: Protocol | undefined
  /** Why it cannot be reached, where that is known. */
  readonly fault?: Fault | undefined
}

/** A project in the catalog. */
export interface CatalogProject {
  readonly name: string
  readonly path: string
  readonly domain: string
  readonly routes: readonly Route[]
  /** Whether every other name below the domain also belongs to it. */
  readonly wildcard?: boolean | undefined
}

/** Operations on services, in one queue with the project's other operations. */
export interface Control {
  /** Runs `work` while the service does not run, and starts it again if it ran. Unknown services count as stopped. */
  paused<T>(key: string, work: () => Promise<T>): Promise<T>
  /**
   * Begins to start a service that was stopped because it was not used, with its dependencies; its state shows the
   * rest. Does nothing with one that was stopped for another reason. Never rejects.
   */
  wake(key: string): Promise<void>
  /** Stops the service; no daemon starts it again automatically. */
  stop(key: string): Promise<void>
  /** Warns of a service: an event, and a line of its history. Does nothing with an unknown one. */
  warn(key: string, message: string, hint?: string): void
  /**
   * Sets a fact as the end of a sentence, `uses …`: the state of a running service shows it as the reason while there is
   * no other, and `locald why` among the likely causes of a failure. Undefined removes it. A service has one note of
   * each plugin, by the plugin's name. Does nothing with an unknown service.
   */
  note(key: string, plugin: string, text: string | undefined): void
}
