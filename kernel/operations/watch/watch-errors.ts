import { systemCode } from '../../errors.ts'
import { isExhaustion, problemOf, type WatchProblem } from './watch-problem.ts'

interface Fault {
  readonly code: string
  readonly path: string
  readonly error: unknown
}

/** Collects errors of watches: one report for each cause, however many paths it concerns. */
export class WatchFaults {
  readonly #failed: (problem: WatchProblem | undefined) => void
  readonly #reported = new Set<string>()
  #faults: Fault[] = []
  #isExhausted = false

  /** @param failed called with each cause once, and with undefined when the system allows enough watches again */
  constructor(failed: (problem: WatchProblem | undefined) => void) {
    this.#failed = failed
  }

  /** Whether the system allows no more watches. */
  get isExhausted(): boolean {
    return this.#isExhausted
  }

  /** Whether a reported problem persists. */
  get any(): boolean {
    return this.#reported.size > 0
  }

  /** Ignores missing paths, as their return is noticed, and paths that only others may list, where that is expected. */
  add(path: string, error: unknown, mayBeDenied: boolean): void {
    const code = systemCode(error) ?? ''
    const isDenied = code === 'EACCES' || code === 'EPERM'
    if (code === 'ENOENT' || code === 'ENOTDIR' || (isDenied && mayBeDenied)) return
    if (isExhaustion(code)) this.#isExhausted = true
    this.#faults.push({ code, path, error })
  }

  /** Notes that watches may be available again. */
  retry(): void {
    this.#isExhausted = false
  }

  report(): void {
    const over = this.#isExhausted ? [] : [...this.#reported].filter(isExhaustion)
    for (const code of over) this.#reported.delete(code)
    if (over.length > 0) this.#failed(undefined)
    const faults = this.#faults
    this.#faults = []
    for (const code of new Set(faults.map(fault => fault.code))) {
      const [first, ...more] = faults.filter(fault => fault.code === code)
      if (first === undefined || this.#reported.has(code)) continue
      this.#reported.add(code)
      this.#failed(problemOf(code, first.path, more.length, first.error))
    }
  }
}
