import type { FeatureState } from '../../kernel/contract/plugin.ts'

declare module '../../kernel/contract/plugin.ts' {
  interface Services {
    /** A platform plugin's: where the privileged helper is. */
    readonly shim: ShimPlace
    /** The privileges plugin's: what needs root, done by the privileged helper. */
    readonly privileges: Privileges
  }
}

/** The privileged helper, locald-shim: where it is and what it can be used for. */
export interface ShimState extends FeatureState {
  readonly path: string
  /** Installed with one capability: it binds ports, and does nothing else. */
  readonly portsOnly: boolean
}

/** The privileged helper as the platform has it. */
export interface ShimPlace {
  /** Looks again whether this user can use it. */
  look(): Promise<ShimState>
}

/** A listening socket on one address of loopback, to be given to `server.listen(handle)`, which then owns it. */
export interface BoundSocket {
  readonly address: string
  readonly handle: object
}

/** What needs root. Each is one run of the helper; rejects with FEATURE_OFF and a hint where it is not installed. */
export interface Privileges {
  /**
   * Binds a port of 127.0.0.1 and, where the machine has it, ::1, for a daemon that may not listen there (EACCES).
   * Rejects with PORT_TAKEN, or SHIM_FAILED.
   */
  listen(port: 80 | 443): Promise<readonly BoundSocket[]>
  /** Makes the user's block of the hosts file have exactly these names, for loopback; none: removes it. SHIM_FAILED. */
  hosts(names: readonly string[]): Promise<void>
  /** Moves the daemon into a cgroup of the user's own (Linux); the folder in which others may be made. SHIM_FAILED. */
  delegateCgroup(): Promise<string>
  /**
   * Adds a CA certificate (PEM, one) to the system's store, or removes it. SHIM_FAILED unless it is a CA whose critical
   * name constraints permit only `localhost`, `test` and `internal`, and no IP address but of loopback.
   */
  trust(pem: string): Promise<void>
  untrust(pem: string): Promise<void>
}
