/** This many restarts in a row are a loop when each came this soon after the start before it (ms) … */
const quick = { rounds: 5, delayMs: 1000 } as const
/**
 * … or when all came after about the same delay: no person saves files so evenly. `spread`: a fraction of the mean
 * delay; `slackMs` is added.
 */
const even = { rounds: 6, delayMs: 10_000, spread: 0.15, slackMs: 100 } as const
/** … or when this many came this soon, however unevenly. */
const many = { rounds: 20, delayMs: 5000 } as const
/** More are needed when no file changed each time: a `git rebase` changes different files in each step. */
const unlike = { rounds: 10 } as const

interface Round {
  readonly files: ReadonlySet<string>
  readonly delayMs: number
}

/** What follows a change of files. */
export type LoopDecision =
  | { readonly kind: 'restart'; readonly files: readonly string[] }
  | { readonly kind: 'ignore' }
  /** It restarts itself by writing `files`; none: by other files each time. */
  | { readonly kind: 'loop'; readonly files: readonly string[]; readonly rounds: number }

/** Detects a service that writes what it watches: it would restart forever. */
export class RestartLoop {
  #rounds: Round[] = []
  readonly #ignored = new Set<string>()
  #isSuspended = false

  /**
   * Decides on a change `delayMs` after the service's start. Files that were found to make a loop are ignored from then
   * on.
   */
  decide(files: readonly string[], delayMs: number): LoopDecision {
    const meant = files.filter(file => !this.#ignored.has(file))
    if (this.#isSuspended || meant.length === 0) return { kind: 'ignore' }
    if (delayMs > even.delayMs) this.#rounds = []
    this.#rounds = [...this.#rounds, { files: new Set(meant), delayMs }].slice(-many.rounds)
    const found = this.#find()
    if (found === undefined) return { kind: 'restart', files: meant }
    this.#rounds = []
    for (const file of found.files) this.#ignored.add(file)
    if (found.files.length === 0) this.#isSuspended = true
    return { kind: 'loop', ...found }
  }

  #find(): { readonly files: readonly string[]; readonly rounds: number } | undefined {
    for (const { rounds, isLoop } of [
      { rounds: quick.rounds, isLoop: isWithin(quick.delayMs) },
      { rounds: even.rounds, isLoop: isEven },
      { rounds: many.rounds, isLoop: isWithin(many.delayMs) },
    ]) {
      const last = this.#rounds.slice(-rounds)
      const files = commonOf(last)
      if (last.length === rounds && files.length > 0 && isLoop(last)) return { files, rounds }
    }
    const { rounds } = unlike
    const last = this.#rounds.slice(-rounds)
    return last.length === rounds && isWithin(quick.delayMs)(last) ? { files: [], rounds } : undefined
  }
}

function isWithin(limitMs: number): (rounds: readonly Round[]) => boolean {
  return rounds => rounds.every(({ delayMs }) => delayMs < limitMs)
}

function isEven(rounds: readonly Round[]): boolean {
  const delays = rounds.map(({ delayMs }) => delayMs)
  const mean = delays.reduce((sum, delay) => sum + delay, 0) / delays.length
  return Math.max(...delays) - Math.min(...delays) <= mean * even.spread + even.slackMs
}

/** Returns the files that changed in every round. */
function commonOf([first, ...more]: readonly Round[]): readonly string[] {
  return [...(first?.files ?? [])].filter(file => more.every(({ files }) => files.has(file)))
}
