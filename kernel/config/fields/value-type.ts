import { closest } from '../../system/suggest.ts'
import type { Spot } from '../document/problems.ts'
import { isTable, kindOf, type Table } from '../document/table.ts'
import { meantKey, withSuggestion } from './suggestions.ts'

/** A kind of value: how the reader takes it, what the JSON schema and the documentation say about it. */
export interface ValueType<out T> {
  /** The name in the documentation's tables, in Markdown. */
  readonly name: string
  readonly schema: Table
  /** Reads a value; returns undefined after noting what is wrong with it. */
  readonly read: (spot: Spot) => T | undefined
}

/** A string that is not blank. */
export const text: ValueType<string> = {
  name: 'text',
  schema: { type: 'string', minLength: 1, pattern: '\\S' },
  read: spot => readText(spot),
}

/** The schema of an array of strings that are not blank. */
export const textsSchema: Table = { type: 'array', items: text.schema }

export const flag: ValueType<boolean> = {
  name: 'true or false',
  schema: { type: 'boolean' },
  read: spot =>
    typeof spot.value === 'boolean' ? spot.value : spot.wrong(`must be true or false, not ${kindOf(spot.value)}`),
}

/** Creates the type of a value that is one of some words. */
export function wordOf<W extends string>(words: readonly W[]): ValueType<W> {
  const name = words.map(word => `\`"${word}"\``).join(', ')
  return { name, schema: { enum: [...words] }, read: spot => readWord(spot, words) }
}

/** Reads a table and notes its unknown keys; returns undefined, noted, for any other value. */
export function readTable(spot: Spot, known: readonly string[], what = 'a table'): Table | undefined {
  if (!isTable(spot.value)) return spot.wrong(`must be ${what}, not ${kindOf(spot.value)}`)
  for (const [key, value] of Object.entries(spot.value)) {
    if (!known.includes(key)) spot.inside(key, value).wrong(withSuggestion('unknown key', meantKey(key, known)))
  }
  return spot.value
}

/** Reads a string that is not blank; messages call it `what`. */
export function readText(spot: Spot, what = 'a string'): string | undefined {
  if (typeof spot.value !== 'string') return spot.wrong(`must be ${what}, not ${kindOf(spot.value)}`)
  return spot.value.trim() === '' ? spot.wrong('must not be empty') : spot.value
}

/** Reads an array of strings that are not blank; messages call it `what`. */
export function readTexts(spot: Spot, what: string): readonly string[] | undefined {
  if (!Array.isArray(spot.value)) return spot.wrong(`must be ${what}, not ${kindOf(spot.value)}`)
  const elements: readonly unknown[] = spot.value
  const texts = elements.map((element, index) => readText(spot.inside(index, element)))
  return texts.every(text => text !== undefined) ? texts : undefined
}

function readWord<W extends string>(spot: Spot, words: readonly W[]): W | undefined {
  const found = words.find(word => word === spot.value)
  if (found !== undefined) return found
  const meant = typeof spot.value === 'string' ? closest(spot.value, words) : undefined
  return spot.wrong(withSuggestion(`must be one of ${words.map(word => `"${word}"`).join(', ')}`, meant))
}
