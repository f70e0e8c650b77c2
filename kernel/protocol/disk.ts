/** What locald has on disk, the largest first. */
export interface DiskAnswer {
  /** The data folder. */
  readonly path: string
  readonly bytes: number
  /** Free bytes on its disk. */
  readonly freeBytes: number
  /** Whether all of it was counted in time. */
  readonly complete: boolean
  readonly entries: readonly DiskEntry[]
}

/** `logs` and `data` belong to a service; `other` to locald and its plugins. */
export interface DiskEntry {
  readonly kind: 'logs' | 'data' | 'other'
  /** In words: `logs`, `docker volume`, `certificates`. */
  readonly what: string
  /** Null for files. */
  readonly name: string | null
  readonly project: string | null
  readonly service: string | null
  /** Absolute; null for what a container engine keeps. */
  readonly path: string | null
  readonly bytes: number
}
