import type { FeatureState } from '../../kernel/contract/plugin.ts'

declare module '../../kernel/contract/plugin.ts' {
  interface Services {
    /** A platform plugin's: the path of the privileged helper. */
    readonly shim: ShimPlace
    /** The privileges plugin's: what needs root, done by the privileged helper. */
    readonly privileges: Privileges
  }
}

/** The privileged helper, locald-shim: its path and what it can be used for. */
export interface ShimState extends FeatureState {
  readonly path: string
  /** Installed with one capability: it binds ports, and does nothing else. */
  readonly portsOnly: boolean
}

/** Finds the platform's privileged helper. */
export interface ShimPlace {
  /** Checks again whether this user can use it. */
  look(): Promise<ShimState>
}

/** A listening socket on one loopback address, to be given to `server.listen(handle)`, which then owns it. */
export interface BoundSocket {
  readonly address: string
  readonly handle: object
}

/** What needs root. Each call runs the helper once; rejects with FEATURE_OFF and a hint when it is not installed. */
export interface Privileges {
  /**
   * Binds a port of 127.0.0.1 and, where the machine has it, ::1, for a daemon that may not listen there (EACCES).
   * Rejects with PORT_TAKEN, or SHIM_FAILED.
   */
  listen(port: 80 | 443): Promise<readonly BoundSocket[]>
  /**
   * Sets the names in the user's block of the hosts file, for loopback; none: removes the block. Rejects with
   * SHIM_FAILED.
   */
  hosts(names: readonly string[]): Promise<void>
  /**
   * Moves the daemon into a cgroup of the user's own (Linux); returns the folder in which others may be created.
   * Rejects with SHIM_FAILED.
   */
  delegateCgroup(): Promise<string>
  /**
   * Adds a CA certificate (PEM, one) to the system's store, or removes it. Rejects with SHIM_FAILED unless it is a CA
   * whose critical name constraints permit only `localhost`, `test` and `internal`, and no IP address but loopback.
   */
  trust(pem: string): Promise<void>
  untrust(pem: string): Promise<void>
}
