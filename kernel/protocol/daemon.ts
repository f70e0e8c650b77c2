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
