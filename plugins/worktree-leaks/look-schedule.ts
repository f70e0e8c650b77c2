/** Why looks come more often for a while. */
export type Activity = 'start' | 'request'

interface Pace {
  readonly everyMs: number
  /** How long it lasts after each activity: ms. */
  readonly after: Readonly<Record<Activity, number>>
}

/**
 * How often connections are looked at; each pace follows the one before. A look costs milliseconds, which is little while
 * services are used, and too much while none is.
 */
const paces: readonly [Pace, ...Pace[]] = [
  { everyMs: 1000, after: { start: 20_000, request: 3000 } },
  { everyMs: 5000, after: { start: 120_000, request: 10_000 } },
]
const idleMs = 15_000

/** Calls a function again and again from the first activity on: more often after an activity. */
export class LookSchedule {
  readonly #look: () => Promise<void>
  /** Until when each pace lasts: performance.now(). */
  readonly #until = paces.map(() => 0)
  /** When the next look is due: performance.now(). */
  #dueAt = Number.POSITIVE_INFINITY
  #timer: NodeJS.Timeout | undefined

  /** @param look never rejects */
  constructor(look: () => Promise<void>) {
    this.#look = look
  }

  speedUp(why: Activity): void {
    const now = performance.now()
    for (const [at, { after }] of paces.entries()) this.#until[at] = Math.max(this.#until[at] ?? 0, now + after[why])
    if (this.#dueAt > now + paces[0].everyMs) this.#arm()
  }

  /** Stops until the next activity. */
  stop(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#dueAt = Number.POSITIVE_INFINITY
  }

  #arm(): void {
    clearTimeout(this.#timer)
    const now = performance.now()
    const ms = paces.find((_, at) => now < (this.#until[at] ?? 0))?.everyMs ?? idleMs
    this.#dueAt = now + ms
    const timer = setTimeout(() => {
      void this.#look().then(() => {
        // Stopped meanwhile, or armed by an activity.
        if (this.#timer === timer) this.#arm()
      })
    }, ms).unref()
    this.#timer = timer
  }
}
