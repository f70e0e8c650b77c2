import { distance, closest as nearest } from 'fastest-levenshtein'

/**
 * Returns the candidate that a misspelt word most likely means, whatever its case: the same letters in another order,
 * else the shortest that begins with the word, else the nearest, else one that the word begins with. Undefined where
 * none is near: `most` says how many letters may differ in a word of a length.
 */
export function closest(
  word: string,
  candidates: readonly string[],
  most: (length: number) => number = allowedDistance,
): string | undefined {
  const lower = word.toLowerCase()
  const texts = candidates.map(candidate => candidate.toLowerCase())
  const meant =
    findReordered(lower, texts) ??
    completeWord(lower, texts) ??
    findNearby(lower, texts, most) ??
    findPrefix(lower, texts)
  return meant === undefined ? undefined : candidates[texts.indexOf(meant)]
}

function findReordered(word: string, texts: readonly string[]): string | undefined {
  const sorted = (text: string) => [...text].sort().join('')
  const letters = sorted(word)
  return texts.find(text => sorted(text) === letters)
}

/** Completes a word of two or more letters: one letter is the start of too many. */
function completeWord(word: string, texts: readonly string[]): string | undefined {
  if (word.length < 2) return undefined
  return texts.filter(text => text.startsWith(word)).toSorted((a, b) => a.length - b.length)[0]
}

function findNearby(word: string, texts: readonly string[], most: (length: number) => number): string | undefined {
  if (texts.length === 0) return undefined
  const near = nearest(word, [...texts])
  return distance(word, near) <= most(Math.max(word.length, near.length)) ? near : undefined
}

function findPrefix(word: string, texts: readonly string[]): string | undefined {
  return texts.find(text => word.startsWith(`${text}_`) || word.startsWith(`${text}-`))
}

/** Returns how many letters may differ: two even in short words, because swapped letters count as two. */
function allowedDistance(length: number): number {
  if (length < 2) return 0
  return length < 4 ? 1 : Math.max(2, Math.floor(length / 3))
}
