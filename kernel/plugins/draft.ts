import type { FastifyPluginAsync } from 'fastify'
import type {
  Check,
  Command,
  DaemonPort,
  Hooks,
  Host,
  PluginTable,
  ProjectDetector,
  ProjectSource,
  ReadDisk,
  ReservedHost,
  ServiceType,
  ShareSource,
  Topic,
  UrlSource,
  Variable,
  Warning,
} from '../contract/plugin.ts'

/** A service that a plugin provides. `provide` registers it with the container. */
export interface Provision {
  readonly name: string
  provide(): void
}

/** One plugin's declarations while its setup runs; applied as a whole, or dropped. */
export interface Draft {
  readonly types: ServiceType<unknown>[]
  readonly sources: (ProjectSource | ProjectDetector)[]
  readonly checks: Check[]
  readonly commands: Command[]
  readonly routes: { readonly prefix: string; readonly plugin: FastifyPluginAsync }[]
  readonly tables: PluginTable[]
  readonly topics: Topic[]
  readonly variables: Variable[]
  readonly urls: UrlSource[]
  readonly shares: ShareSource[]
  readonly reserved: ReservedHost[]
  readonly ports: DaemonPort[]
  readonly openers: Opener[]
  readonly warnings: (() => readonly Warning[])[]
  readonly statuses: StatusSource[]
  readonly reports: { readonly name: string; readonly read: () => Promise<unknown> }[]
  readonly disks: ReadDisk[]
  readonly provisions: Provision[]
  readonly closers: (() => Promise<void> | void)[]
  readonly hooks: Hooks
}

/** Opens a URL in the browser. */
export type Opener = Parameters<Host['opener']>[0]
/** Fields of the daemon's status. */
export type StatusSource = Parameters<Host['status']>[0]
