import type { Range } from './range.ts'
import type { Found, Work } from './regex-worker.ts'

/** An expression may take so long for a piece of the lines, ms. */
const limitMs = 1000

/** Finds an expression of the user's, in a worker: one that takes too long is stopped, and the page goes on. */
export class RegexFinder {
  readonly #source: string
  readonly #flags: string
  #worker: Worker | undefined
  #isClosed = false

  constructor(source: string, flags: string) {
    this.#source = source
    this.#flags = flags
  }

  /** Returns the hits in each text; undefined where there is none. Rejects when it takes too long. */
  find(texts: readonly string[]): Promise<readonly (readonly Range[] | undefined)[]> {
    const { promise, resolve, reject } = Promise.withResolvers<Found['ranges']>()
    if (this.#isClosed) return promise
    this.#worker ??= new Worker(REGEX_WORKER)
    let timer: ReturnType<typeof setTimeout> | undefined
    this.#worker.onmessage = ({ data }: MessageEvent<Found | 'started'>) => {
      if (data === 'started') {
        timer = setTimeout(() => {
          this.close()
          reject(new Error('This expression takes too long'))
        }, limitMs)
        return
      }
      clearTimeout(timer)
      resolve(data.ranges)
    }
    const work: Work = { source: this.#source, flags: this.#flags, texts }
    this.#worker.postMessage(work)
    return promise
  }

  /** Stops it, whatever it does. */
  close(): void {
    this.#isClosed = true
    this.#worker?.terminate()
    this.#worker = undefined
  }
}
