import type { Spot } from '../document/problems.ts'
import { isTable, kindOf } from '../document/table.ts'
import { isVariable, variablePattern } from '../names.ts'
import { parseTemplate } from '../references/interpolation.ts'
import type { ValueType } from './value-type.ts'

/** The hint for a TOML value without a text form. */
export const inQuotes = 'Put it in quotes: the service gets the text.'

/** A table of names and texts; numbers and booleans become texts. */
export const env: ValueType<Readonly<Record<string, string>>> = {
  name: 'table of texts, numbers, booleans',
  schema: {
    type: 'object',
    propertyNames: { pattern: variablePattern },
    additionalProperties: { type: ['string', 'number', 'boolean'] },
  },
  read: readEnv,
}

/** Entries that are wrong are noted and left out. */
function readEnv(spot: Spot): Readonly<Record<string, string>> | undefined {
  if (!isTable(spot.value)) return spot.wrong(`must be a table of names and values, not ${kindOf(spot.value)}`)
  const entries: [string, string][] = []
  for (const [name, value] of Object.entries(spot.value)) {
    const text = readEntry(spot.inside(name, value), name)
    if (text !== undefined) entries.push([name, text])
  }
  return Object.fromEntries(entries)
}

function readEntry(spot: Spot, name: string): string | undefined {
  if (!isVariable(name))
    return spot.wrong("is not a variable's name: letters, digits and '_', not starting with a digit")
  const text = textOf(spot.value)
  if (text === undefined) {
    const fault = spot.value instanceof Date ? { hint: inQuotes } : {}
    return spot.wrong(`must be a string, a number, or true or false, not ${kindOf(spot.value)}`, fault)
  }
  if (text.includes('\0')) return spot.wrong('has a NUL character, which no environment can hold')
  const parts = parseTemplate(text)
  if ('malformed' in parts) return spot.wrong(`has ${parts.malformed}`, { hint: 'Write $${ for a literal ${.' })
  return text
}

function textOf(value: unknown): string | undefined {
  if (typeof value === 'string') return value
  if (typeof value === 'boolean') return String(value)
  return typeof value === 'number' && Number.isFinite(value) ? String(value) : undefined
}
