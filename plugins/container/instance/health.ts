import { performance } from 'node:perf_hooks'
import type { InsideCheck } from '../../../kernel/contract/plugin.ts'
import { tryEngine } from '../calls/run-engine.ts'
import type { Healthcheck } from '../images/facts.ts'
import type { Engine } from '../provides.ts'

/** Until a check succeeds it is repeated after a fifth of the time so far, within these bounds: ms. */
const firstPauseMs = 100

/** Runs the HEALTHCHECK of an image: podman does not without systemd, and nerdctl not at all. */
export class HealthProbe {
  readonly #engine: Engine
  readonly #container: string
  readonly #check: Healthcheck
  readonly #startedAt = performance.now()
  #nextAt = 0

  constructor(engine: Engine, container: string, check: Healthcheck) {
    this.#engine = engine
    this.#container = container
    this.#check = check
  }

  /** How often it is run, once it has succeeded: ms. */
  get interval(): number {
    return this.#check.interval
  }

  /** Runs the check, no more often than its cost allows; false in between. */
  async probe(): Promise<boolean> {
    const now = performance.now()
    if (now < this.#nextAt) return false
    const healthy = await this.#run()
    const pause = Math.min(this.#check.interval, Math.max(firstPauseMs, (now - this.#startedAt) / 5))
    this.#nextAt = healthy ? 0 : performance.now() + pause
    return healthy
  }

  async #run(): Promise<boolean> {
    const [kind, ...words] = this.#check.test
    const shell = kind === 'CMD-SHELL' ? ['/bin/sh', '-c', words.join(' ')] : words
    // It also sets the status that `podman ps` shows.
    const own = this.#engine.dialect === 'podman' ? ['healthcheck', 'run', this.#container] : undefined
    const args = own ?? ['exec', this.#container, ...shell]
    return (await tryEngine(this.#engine, args, { timeoutMs: this.#check.timeout })).code === 0
  }
}

/** Runs the command of a health check inside a container, by its shell. */
export async function checkInside(
  engine: Engine,
  container: string,
  command: string,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<InsideCheck> {
  const result = await tryEngine(engine, ['exec', container, '/bin/sh', '-c', command], { timeoutMs, signal })
  if (result.code === 0) return { ok: true, detail: '' }
  const detail =
    result.code === null ? `the check ${result.failure ?? 'failed'}` : `the check exited with code ${result.code}`
  return { ok: false, detail }
}
