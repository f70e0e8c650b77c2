import type { FeatureState } from './feature.ts'

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

/** What keeps the proxy from a port, and what to do about it. */
export interface WebProblem {
  readonly message: string
  readonly hint: string
}

/** Public names: set by the proxy. */
export interface Web {
  /** The URL a browser opens for a host name such as `web.shop.localhost`, without a trailing slash. */
  url(host: string): string
  /** The real ports; null where not listening. */
  readonly http: number | null
  readonly https: number | null
  /** Why there is no port where one was wished for, told by each `up`. */
  readonly problems?: readonly WebProblem[]
  /** PEM file of the local CA when HTTPS is on. */
  readonly caFile?: string | undefined
}
