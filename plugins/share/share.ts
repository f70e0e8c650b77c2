import type { ShareBody, ShareView } from './provides.ts'
import type { Way } from './way.ts'

/** Clocks are read this often at least: timers stand still while the machine sleeps, ms. */
const lookMs = 30_000

/** One service, shared in one way, until that stops. */
export class Share {
  /** Resolves with the reason when it stops. */
  readonly stopped: Promise<string>
  readonly #body: ShareBody
  readonly #untilMs: number | undefined
  readonly #listeners = new Set<() => void>()
  readonly #stopping = new AbortController()
  #way: Way | undefined
  #resolve: (reason: string) => void = () => {}
  #timer: NodeJS.Timeout | undefined

  constructor(body: ShareBody) {
    this.#body = body
    this.#untilMs = body.forMs === undefined ? undefined : Date.now() + body.forMs
    this.stopped = new Promise(resolve => {
      this.#resolve = resolve
    })
  }

  /** Aborts when it stops. */
  get signal(): AbortSignal {
    return this.#stopping.signal
  }

  get key(): string {
    return this.#body.key
  }

  get notes(): readonly string[] {
    return this.#way?.notes ?? []
  }

  view(): ShareView {
    const { key, via, detach = false } = this.#body
    const until = this.#untilMs === undefined ? null : new Date(this.#untilMs).toISOString()
    return { key, via, urls: this.#way?.places ?? [], until, detached: detach }
  }

  /** Begins with an open way. */
  open(way: Way): void {
    this.#way = way
    this.#arm()
  }

  /** Calls a listener when the URLs change. */
  on(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  changed(): void {
    for (const listener of [...this.#listeners]) listener()
  }

  /** Stops it. The first reason counts. Never rejects. */
  async stop(reason: string): Promise<void> {
    this.#resolve(reason)
    this.#stopping.abort()
    clearTimeout(this.#timer)
    const way = this.#way
    this.#way = undefined
    await way?.close().catch(() => undefined)
  }

  #arm(): void {
    if (this.#untilMs === undefined || this.#stopping.signal.aborted) return
    const leftMs = this.#untilMs - Date.now()
    if (leftMs <= 0) void this.stop('its time is over')
    else this.#timer = setTimeout(() => this.#arm(), Math.min(leftMs, lookMs)).unref()
  }
}
