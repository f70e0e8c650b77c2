import type { Health, Status } from '../events.ts'

/** What a start is read from. */
export interface StartFields {
  readonly status: Status
  readonly health: Health
  /** When its present process was created: ms since the epoch. */
  readonly startedMs: number | null
}

/** A start, in ms since the epoch; undefined: not yet. */
export interface StartPoints {
  /** It began to wait for others. */
  readonly beganMs: number
  readonly startedMs: number | undefined
  /** Its dependents could go on. */
  readonly readyMs: number | undefined
  /** It had done its work, as a task. */
  readonly completedMs: number | undefined
}

/** Notes how the last start of a service went, by its states. */
export class StartTimes {
  #last: Status | undefined
  #points: StartPoints | undefined
  /** When the process before this start was created. */
  #earlierMs: number | null = null

  /** The last start; undefined: an earlier daemon began it, or there was none. */
  get last(): StartPoints | undefined {
    return this.#points
  }

  /** Takes each state. A restart after a crash is a start of its own, which begins when its pause is over. */
  note({ status, health, startedMs }: StartFields, nowMs: number): void {
    const isBegin =
      (status === 'waiting' || (status === 'starting' && this.#last === 'restarting')) && status !== this.#last
    this.#last = status
    if (isBegin) {
      this.#points = { beganMs: nowMs, startedMs: undefined, readyMs: undefined, completedMs: undefined }
      this.#earlierMs = startedMs
    }
    const points = this.#points
    if (points === undefined) return
    const created = points.startedMs ?? (startedMs === this.#earlierMs ? undefined : (startedMs ?? undefined))
    const isReady = status === 'exited' || (status === 'running' && (health === 'healthy' || health === null))
    const readyMs = points.readyMs ?? (created !== undefined && isReady ? nowMs : undefined)
    const completedMs = points.completedMs ?? (status === 'exited' ? nowMs : undefined)
    this.#points = { ...points, startedMs: created, readyMs, completedMs }
  }
}
