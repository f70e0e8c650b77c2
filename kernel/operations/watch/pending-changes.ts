/** Changes within this time count as one: an editor writes a file in several steps. ms */
const settleMs = 100
/** Changes that never pause are handled after this much: ms. */
const defaultPatienceMs = 5000
/** More than this at once are handled as one: that costs less, and of a longer queue the system drops some. */
const manyChanges = 1000

/** Where collected changes go, and what stands for very many of them. */
export interface PendingChangesInput {
  /** The paths that contain all changes. */
  readonly all: readonly string[]
  /** Whether a path is within one of `all`. */
  readonly isInside: (path: string) => boolean
  /** Called when changes came and no more follow. */
  readonly settled: () => void
  readonly patienceMs?: number
}

/** Collects changed paths until they are handled. */
export class PendingChanges {
  readonly #input: PendingChangesInput
  readonly #patienceMs: number
  /** True: another file or folder than before may be there. */
  #paths = new Map<string, boolean>()
  #timer: NodeJS.Timeout | undefined
  /** When the first unreported one came. */
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

  /** Marks all paths as changed, as events were lost. */
  addAll(isAnother: boolean): void {
    for (const path of this.#input.all) this.add(path, isAnother)
  }

  /** Whether more changes came meanwhile, not for too long yet. */
  get continues(): boolean {
    return this.#paths.size > 0 && performance.now() < (this.#since ?? 0) + this.#patienceMs
  }

  /** Marks all as reported: the next change starts a new wait. */
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
