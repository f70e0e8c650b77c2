/** `path`: a folder in or below the project's. */
export interface GraphQuery {
  readonly path: string
}

/** A project's services with their dependencies. */
export interface GraphAnswer {
  readonly project: string
  readonly path: string
  readonly services: readonly GraphService[]
}

export interface GraphService {
  readonly key: string
  /** Keys of the services that it waits for, as configured. */
  readonly dependsOn: readonly string[]
  /**
   * Its last start, in UTC: when it began to wait for these, when its process was created, when it was ready, or
   * had completed where others wait for that. Null: it was not started by this daemon.
   */
  readonly start: {
    readonly beganAt: string
    readonly startedAt: string | null
    readonly readyAt: string | null
  } | null
}
