/** Changes within this time are one: an editor writes a file in several steps. ms */
const settleMs = 100
/** Changes that do not end are looked at after this much all the same: ms. */
const defaultPatienceMs = 5000
/** More than this at once are looked at as one: that costs less, and of a longer queue the system drops some. */
const manyChanges = 1000

/** What the collected changes are handed to, and what to look at instead of very many. */
export interface PendingChangesInput {
  /** What contains all that changes. */
  readonly all: readonly string[]
  /** Whether a path is within one of `all`. */
  readonly isInside: (path: string) => boolean
  /** Called when changes have come and no more follow. */
  readonly settled: () => void
  readonly patienceMs?: number
}

/** Paths where something has changed, until they are looked at. */
export class PendingChanges {
  readonly #input: PendingChangesInput
  readonly #patienceMs: number
  /** True: what is there may be another file or folder than before. */
  #paths = new Map<string, boolean>()
  #timer: NodeJS.Timeout | undefined
  /** When the first of those came that were not reported yet. */
  #since: number | undefined

  constructor(input: PendingChangesInput) {
    this.#input = input
    this.#patienceMs = input.patienceMs ?? defaultPatienceMs
  }

  add(path: string, isAnother: boolean): void {
    this.#since ??= performance.now()
    this.#paths.set(path, isAnother || this.#paths.get(path) === true)
    const { all, isInside, settled } = this.#input
    if (this.#paths.size > manyChanges + all.length) {
      for (const each of this.#paths.keys()) if (isInside(each)) this.#paths.delete(each)
      for (const each of all) this.#paths.set(each, true)
    }
    clearTimeout(this.#timer)
    const left = this.#since + this.#patienceMs - performance.now()
    this.#timer = setTimeout(settled, Math.max(0, Math.min(settleMs, left))).unref()
  }

  /** All paths may have changed: events were lost. */
  addAll(isAnother: boolean): void {
    for (const path of this.#input.all) this.add(path, isAnother)
  }

  /** Whether more has come meanwhile, and that has not gone on for too long. */
  get continues(): boolean {
    return this.#paths.size > 0 && performance.now() < (this.#since ?? 0) + this.#patienceMs
  }

  /** All so far is reported: the next change begins another time of waiting. */
  rest(): void {
    this.#since = undefined
  }

  take(): ReadonlyMap<string, boolean> {
    const taken = this.#paths
    this.#paths = new Map()
    return taken
  }

  close(): void {
    clearTimeout(this.#timer)
    this.#paths.clear()
  }
}
