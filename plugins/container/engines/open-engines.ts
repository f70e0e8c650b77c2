import type { Engine, EngineSource } from '../provides.ts'

type Step = (text: string) => void

/** An engine that is open or being opened, for all that wait for it. */
class Opening {
  readonly #steps = new Set<Step>()
  readonly #engine: Promise<Engine>
  #opened: Engine | undefined
  /** The step that is under way. */
  #last: string | undefined

  constructor(source: EngineSource) {
    this.#engine = source
      .open(text => {
        this.#last = text
        for (const step of this.#steps) step(text)
      })
      .then(engine => {
        this.#opened = engine
        return engine
      })
      .finally(() => {
        this.#last = undefined
      })
  }

  /** Whether the engine has stopped since: a VM stops when no service uses it. */
  get isStale(): boolean {
    return this.#opened?.isOpen?.() === false
  }

  /** Undefined until it is open. */
  get version(): string | undefined {
    return this.#opened?.version
  }

  onFailure(listener: () => void): void {
    this.#engine.catch(listener)
  }

  async wait(step: Step, signal: AbortSignal): Promise<Engine> {
    if (this.#last !== undefined) step(this.#last)
    this.#steps.add(step)
    try {
      return await abortable(this.#engine, signal)
    } finally {
      this.#steps.delete(step)
    }
  }
}

/** The engines in use. Each is opened once, however many services wait for it. */
export class OpenEngines {
  readonly #openings = new Map<EngineSource, Opening>()

  /** Returns whether an engine is open or being opened. */
  has(source: EngineSource): boolean {
    return this.#current(source) !== undefined
  }

  /** Returns the version of an engine as it was last opened; undefined: it was not. */
  version(source: EngineSource): string | undefined {
    return this.#openings.get(source)?.version
  }

  /** Returns the engine, open. Rejects with ENGINE_FAILED, or when aborted; the opening goes on for others. */
  async open(source: EngineSource, step: Step, signal: AbortSignal): Promise<Engine> {
    const opening = this.#current(source) ?? this.#begin(source)
    return await opening.wait(step, signal)
  }

  #current(source: EngineSource): Opening | undefined {
    const opening = this.#openings.get(source)
    return opening?.isStale === true ? undefined : opening
  }

  #begin(source: EngineSource): Opening {
    const opening = new Opening(source)
    this.#openings.set(source, opening)
    // One that failed is tried again by the next start.
    opening.onFailure(() => this.#openings.delete(source))
    return opening
  }
}

function abortable<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason)
    if (signal.aborted) return abort()
    signal.addEventListener('abort', abort, { once: true })
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort))
  })
}
