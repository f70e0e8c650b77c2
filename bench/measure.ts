/** The middle value; the mean of the two middle ones of an even number. NaN of none. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  const upper = sorted[middle] ?? Number.NaN
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2
}

/** Measures subjects in turn, `rounds` times, so that what else the machine does falls on all of them; the values by subject. */
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

/** How long something takes, ms. */
export async function timed(run: () => unknown): Promise<number> {
  const began = performance.now()
  await run()
  return performance.now() - began
}

/** Waits until `look` is true, asking every `stepMs`. Throws with `what` after the limit. */
export async function until(
  what: string,
  look: () => boolean | Promise<boolean>,
  { stepMs = 10, limitMs = 60_000 } = {},
): Promise<void> {
  const end = performance.now() + limitMs
  while (!(await look())) {
    if (performance.now() > end) throw new Error(`waited in vain: ${what}`)
    await new Promise(wake => setTimeout(wake, stepMs))
  }
}
