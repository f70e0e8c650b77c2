import type { Exit } from '../contract/plugin.ts'

/** A service is given up after this many exits within the window; both as documented for `restart`. */
export const crashLimit = 5
export const crashWindowMs = 60_000

/** The pause before a restart: the first one, and the longest; each is twice as long as the one before: ms. */
export const firstDelayMs = 100
export const longestDelayMs = 10_000
/** A run this long resets the pause to the first: ms. */
export const steadyMs = 10_000

/** An exit, and what is known of it. */
export interface ExplainedExit extends Exit {
  /** Why, according to the output. */
  readonly cause?: string | undefined
  /** Why, according to what ran it: "was killed for lack of memory". */
  readonly by?: string | undefined
}

/** What follows an exit: the run is over, done or failed, or restarts after a delay. */
export type Decision =
  | { readonly kind: 'done'; readonly reason: string }
  | { readonly kind: 'failed'; readonly reason: string }
  | { readonly kind: 'restart'; readonly delayMs: number; readonly crash: string; readonly reason: string }

/** Applies the restart policy of one service; remembers its crashes. */
export class RestartPolicy {
  #crashes: number[] = []
  #delay = firstDelayMs

  /** Decides what follows an exit. `now` and `ranMs`: ms of a monotonic clock. */
  decide(
    policy: 'no' | 'on-failure' | 'always',
    exit: ExplainedExit,
    ranMs: number,
    now = performance.now(),
  ): Decision {
    const reason = exit.cause === undefined ? exitText(exit) : `${exitText(exit)}: ${exit.cause}`
    const crashed = exit.code !== 0
    if (!crashed && policy !== 'always') return { kind: 'done', reason }
    if (policy === 'no') return { kind: 'failed', reason }
    this.#crashes = [...this.#crashes.filter(time => now - time < crashWindowMs), now]
    if (this.#crashes.length >= crashLimit) {
      return {
        kind: 'failed',
        reason: `gave up after ${crashLimit} ${crashed ? 'crashes' : 'exits'} in ${crashWindowMs / 1000} s (last: ${reason})`,
      }
    }
    if (ranMs >= steadyMs) this.#delay = firstDelayMs
    const delayMs = this.#delay
    this.#delay = Math.min(longestDelayMs, delayMs * 2)
    return {
      kind: 'restart',
      delayMs,
      crash: reason,
      reason: `${reason}; restarting in ${delayMs / 1000} s (attempt ${this.#crashes.length} of ${crashLimit})`,
    }
  }

  forget(): void {
    this.#crashes = []
    this.#delay = firstDelayMs
  }
}

/**
 * Returns an exit as the end of a sentence: "exited with code 1", "terminated by SIGKILL", "was killed for lack of
 * memory (exited with code 137)".
 */
export function exitText(exit: ExplainedExit): string {
  const { code, signal, by } = exit
  const isKnown = code !== null || signal !== null
  if (by === undefined) return statusText(exit)
  return isKnown ? `${by} (${statusText(exit)})` : by
}

function statusText({ code, signal }: Exit): string {
  if (code !== null) return `exited with code ${code}`
  return signal === null ? 'exited while the daemon was down' : `terminated by ${signal}`
}
