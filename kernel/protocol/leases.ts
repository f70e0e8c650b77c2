/** For whom an `up` starts services: as long as a process lives, or for a time. */
export interface LeaseBody {
  /** The process; exactly one of `pid` and `seconds` is given. */
  readonly pid?: number
  /** What people call the process, `claude`: shown with its pid. */
  readonly name?: string
  readonly seconds?: number
}

/** The process whose leases are over, though it still runs. */
export interface LeaseReleaseBody {
  readonly pid: number
}

/** Who keeps a service running. */
export interface LeaseView {
  readonly pid: number | null
  readonly name: string | null
  /** UTC ISO 8601; null for a process. */
  readonly until: string | null
}
