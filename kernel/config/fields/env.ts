import { parseTemplate } from '../interpolation.ts'
import type { Spot } from '../problems.ts'
import { isTable, kindOf } from '../table.ts'
import { isVariable } from './names.ts'

/** How a value of TOML gets to a service as it is written. */
export const inQuotes = 'Put it in quotes: the service gets the text.'

/** An `env` table: names and texts; numbers and booleans become texts. What is wrong is noted and left out. */
export function readEnv(spot: Spot): Readonly<Record<string, string>> {
  if (spot.value === undefined) return {}
  if (!isTable(spot.value)) {
    spot.wrong(`must be a table of names and values, not ${kindOf(spot.value)}`)
    return {}
  }
  const env: [string, string][] = []
  for (const [name, value] of Object.entries(spot.value)) {
    const text = readEntry(spot.inside(name, value), name)
    if (text !== undefined) env.push([name, text])
  }
  return Object.fromEntries(env)
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
