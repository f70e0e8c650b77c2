import { closest } from '../../system/suggest.ts'
import type { Spot } from '../problems.ts'
import { isTable, kindOf, type Table } from '../table.ts'

/** Other tools' words for our keys. */
const aliases: Readonly<Record<string, string>> = {
  cmd: 'command',
  run: 'command',
  cwd: 'workdir',
  dir: 'workdir',
  working_dir: 'workdir',
  environment: 'env',
  ports: 'port',
  readiness: 'health_check',
  healthcheck: 'health_check',
}

/** The candidate that a misspelt word was most likely meant to be: the same letters in another order, or else the nearest. */
export function meantWord(word: string, candidates: readonly string[]): string | undefined {
  const letters = [...word].sort().join('')
  return candidates.find(candidate => [...candidate].sort().join('') === letters) ?? closest(word, candidates)
}

/** The key that an unknown one was most likely meant to be. */
export function meantKey(key: string, known: readonly string[]): string | undefined {
  const snake = key.replace(/[A-Z]/g, letter => `_${letter.toLowerCase()}`).replaceAll('-', '_')
  if (known.includes(snake)) return snake
  const alias = aliases[snake]
  return alias !== undefined && known.includes(alias) ? alias : meantWord(snake, known)
}

/** The message about an unknown word, with the one that was meant. */
export function unknown(what: string, meant: string | undefined): string {
  return meant === undefined ? what : `${what}; did you mean '${meant}'?`
}

/** A table, its unknown keys noted; undefined, and noted, when it is none. */
export function readTable(spot: Spot, known: readonly string[], what = 'a table'): Table | undefined {
  if (!isTable(spot.value)) return spot.wrong(`must be ${what}, not ${kindOf(spot.value)}`)
  for (const [key, value] of Object.entries(spot.value)) {
    if (!known.includes(key)) spot.inside(key, value).wrong(unknown('unknown key', meantKey(key, known)))
  }
  return spot.value
}

/** A string with something in it. */
export function readText(spot: Spot, what = 'a string'): string | undefined {
  if (typeof spot.value !== 'string') return spot.wrong(`must be ${what}, not ${kindOf(spot.value)}`)
  if (spot.value.trim() === '') return spot.wrong('must not be empty')
  return spot.value
}

/** An array of strings with something in each. */
export function readTexts(spot: Spot, what = 'an array of strings'): readonly string[] | undefined {
  if (!Array.isArray(spot.value)) return spot.wrong(`must be ${what}, not ${kindOf(spot.value)}`)
  const elements: readonly unknown[] = spot.value
  const texts = elements.map((element, index) => readText(spot.inside(index, element)))
  return texts.every(text => text !== undefined) ? texts : undefined
}

/** True or false. */
export function readFlag(spot: Spot): boolean | undefined {
  return typeof spot.value === 'boolean' ? spot.value : spot.wrong(`must be true or false, not ${kindOf(spot.value)}`)
}

/** One of some words. */
export function readWord<W extends string>(spot: Spot, words: readonly W[]): W | undefined {
  const found = words.find(word => word === spot.value)
  if (found !== undefined) return found
  const meant = typeof spot.value === 'string' ? meantWord(spot.value.toLowerCase(), words) : undefined
  return spot.wrong(unknown(`must be one of ${words.map(word => `"${word}"`).join(', ')}`, meant))
}
