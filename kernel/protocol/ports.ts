/**
 * Who listens on a port of this machine. `kind`: a service of locald's, the daemon itself, another process, or no one.
 * `service`: the key of that service, or of the one to which a free port is assigned.
 */
export interface PortAnswer {
  readonly port: number
  readonly kind: 'service' | 'daemon' | 'process' | 'free'
  /** Names the process, as far as the system shows it: `node (pid 123)`. */
  readonly holder: string | null
  readonly service: string | null
  /** How to free the port, or to use it: an imperative. */
  readonly hint: string | null
}
