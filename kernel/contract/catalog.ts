import type { LocaldEvent, ServiceView } from '../events.ts'
import type { Route } from './project.ts'
import type { Protocol } from './service-type.ts'

/** All projects that were started since the daemon knows them, read only. */
export interface Catalog {
  projects(): readonly CatalogProject[]
  services(): readonly CatalogEntry[]
  get(key: string): CatalogEntry | undefined
  /** Resolves when the service is not waiting, starting or restarting any more (or is gone: undefined); rejects when aborted. */
  settled(key: string, signal: AbortSignal): Promise<CatalogEntry | undefined>
  /**
   * For a host name of a project that the daemon itself is about to start: resolves when its services are known, or are not going to
   * be. Undefined for all others.
   */
  arriving(host: string): Promise<void> | undefined
  /**
   * Looks why a service that runs cannot be reached, and returns what it finds; its state shows that as its reason. Finds nothing
   * where there is no such service.
   */
  examine(key: string): Promise<Fault | undefined>
  /**
   * Whether a process of this user listens on the port of a service that does not run: one that was started in its place, by
   * `locald run` or in a debugger. None is a service of locald's, or locald.
   */
  hasStandIn(key: string): Promise<boolean>
  /** Its last lines of output, of its last start, without ANSI codes. */
  tail(key: string, lines: number): Promise<readonly string[]>
  /** Every event of the daemon; the result stops it. */
  on(listener: (event: LocaldEvent) => void): () => void
}

/** Why a service cannot be reached although it runs, and what to do about it. */
export interface Fault {
  readonly message: string
  readonly hint: string
}

/** A service in the catalog: its view and where it can be reached. */
export interface CatalogEntry extends ServiceView {
  /** Names that belong to it, the main one first; empty for workers and databases. */
  readonly hosts: readonly string[]
  /** Address and port it was last seen to listen on. */
  readonly upstream: { readonly host: string; readonly port: number } | null
  /** What it speaks there; absent: HTTP/1.1. */
  readonly protocol?: Protocol | undefined
  /** Why it cannot be reached, where that was found out. */
  readonly fault?: Fault | undefined
}

/** A project in the catalog. */
export interface CatalogProject {
  readonly name: string
  readonly path: string
  readonly domain: string
  readonly routes: readonly Route[]
  /** Whether every other name below the domain is answered, too. */
  readonly wildcard?: boolean | undefined
}

/** What plugins may do with services, one after the other with a project's other operations. */
export interface Control {
  /** Runs `work` while the service does not run, and starts it again if it ran. A service nobody knows does not run. */
  paused<T>(key: string, work: () => Promise<T>): Promise<T>
  /** Stops the service for good, until it is started again. */
  stop(key: string): Promise<void>
}
