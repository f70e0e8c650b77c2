/** Returns the median; NaN without values. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  const upper = sorted[middle] ?? Number.NaN
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2
}

/** Measures subjects in turn, `rounds` times, so that other load affects all of them; returns the values by subject. */
export async function interleave<T>(
  rounds: number,
  subjects: Readonly<Record<string, () => T | Promise<T>>>,
): Promise<ReadonlyMap<string, readonly T[]>> {
  const results = new Map<string, T[]>(Object.keys(subjects).map(name => [name, []]))
  for (let round = 0; round < rounds; round++) {
    for (const [name, measure] of Object.entries(subjects)) results.get(name)?.push(await measure())
  }
  return results
}

/** Returns how long `work` takes, in ms. */
export async function timed(run: () => unknown): Promise<number> {
  const began = performance.now()
  await run()
  return performance.now() - began
}

/** Waits until `look` returns true, calling it every `stepMs`. Throws with `what` after the limit. */
export async function until(
  what: string,
  look: () => boolean | Promise<boolean>,
  { stepMs = 10, limitMs = 60_000 } = {},
): Promise<void> {
  const end = performance.now() + limitMs
  while (!(await look())) {
    if (performance.now() > end) throw new Error(`timed out: ${what}`)
    await new Promise(wake => setTimeout(wake, stepMs))
  }
}
