/** Samples kept of one service: ten minutes of one every two seconds. */
const longest = 300
/** Samples closer together are one, ms. */
const apartMs = 1000
/** Time, CPU, memory. */
const width = 3

/** The usage of a service over time, as far as it was looked at: a ring of a fixed size. */
export class UsageSamples {
  readonly #values = new Float64Array(longest * width)
  #count = 0
  #lastMs = 0

  /** Keeps a sample: CPU in percent of one core, memory in bytes. */
  add(nowMs: number, cpu: number, memory: number): void {
    if (nowMs - this.#lastMs < apartMs) return
    this.#lastMs = nowMs
    this.#values.set([nowMs, cpu, memory], (this.#count % longest) * width)
    this.#count++
  }

  /** Returns the samples, the oldest first: ms since the epoch, CPU, memory. */
  list(): readonly (readonly [number, number, number])[] {
    const length = Math.min(this.#count, longest)
    const from = this.#count - length
    return Array.from({ length }, (_, index) => {
      const at = ((from + index) % longest) * width
      const [time = 0, cpu = 0, memory = 0] = this.#values.subarray(at, at + width)
      return [time, cpu, memory] as const
    })
  }
}
