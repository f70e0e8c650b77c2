import { distance, closest as nearest } from 'fastest-levenshtein'

/** The candidate a misspelt word most likely meant, whatever its case; undefined when none is near. */
export function closest(word: string, candidates: readonly string[]): string | undefined {
  if (candidates.length === 0) return undefined
  const lower = word.toLowerCase()
  const near = nearest(
    lower,
    candidates.map(candidate => candidate.toLowerCase()),
  )
  const found = candidates.find(candidate => candidate.toLowerCase() === near)
  return found !== undefined && distance(lower, near) <= allowed(Math.max(word.length, near.length)) ? found : undefined
}

/** How many letters may differ in a word of a length: two swapped ones count as two, so that short words are given two. */
function allowed(length: number): number {
  if (length < 2) return 0
  return length < 4 ? 1 : Math.max(2, Math.floor(length / 3))
}
