import type { ProjectRef } from '../../../kernel/contract/plugin.ts'
import type { Engine } from '../provides.ts'

/** The forwarder of a project: a container of ours on the project's network, which carries connections to locald. */
export interface Forwarder {
  readonly engine: Engine
  readonly project: ProjectRef
  /** The container's name. */
  readonly name: string
}

/** What a container service needs of this machine's loopback. */
export interface AccessRequest extends Forwarder {
  /** The forwarder's labels. */
  readonly labels: Readonly<Record<string, string>>
  /** The project's network, which exists. */
  readonly network: string
  /** The service that needs it, by name. */
  readonly service: string
  /** All ports that it needs; they replace those of its earlier request. */
  readonly ports: readonly number[]
}

/**
 * Lets containers reach chosen ports on this machine's loopback as `host.docker.internal`, with engines that offer no
 * name for it; with others it does nothing.
 */
export interface HostAccess {
  /**
   * Resolves when the ports are reachable from the project's network, as far as something listens on them, with
   * arguments for the `run` or `create` of the service's container. Call it at every start of the service, and when a
   * daemon adopts it; with no ports it starts no forwarder. Rejects with ENGINE_FAILED.
   */
  ensure(request: AccessRequest, signal?: AbortSignal): Promise<readonly string[]>
  /** Withdraws the ports of a service that has exited. The forwarder stays until `release`. */
  withdraw(project: ProjectRef, service: string): void
  /**
   * Removes the project's forwarder, also one of an earlier daemon; before the network is removed, and before anyone
   * else removes that container, because it is started again when it exits.
   */
  release(forwarder: Forwarder): Promise<void>
  /** Closes the sockets and connections; forwarders keep running for the next daemon. */
  close(): Promise<void>
}
