import { distance, closest as nearest } from 'fastest-levenshtein'

/** The candidate a misspelt word most likely meant; undefined when none is near. */
export function closest(word: string, candidates: readonly string[]): string | undefined {
  if (candidates.length === 0) return undefined
  const near = nearest(word, candidates)
  const limit = Math.max(1, Math.floor(Math.max(word.length, near.length) / 3))
  return distance(word, near) <= limit ? near : undefined
}
