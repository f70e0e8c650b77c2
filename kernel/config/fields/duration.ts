import { longestTimerMs, parseDuration } from '../../lib/duration.ts'
import type { Spot } from '../document/problems.ts'
import type { ValueType } from './value-type.ts'

const rule = 'must be a number of seconds, or a text such as "500ms", "30s" or "2m"'
const pattern = '^[0-9]+(\\.[0-9]+)?(ms|s|m|h)$'

/** A time; read in ms. */
export const duration = durationOf({ minimum: 0 }, readDuration)

/** A time of more than 0; read in ms. */
export const positiveDuration = durationOf({ exclusiveMinimum: 0 }, spot => {
  const ms = readDuration(spot)
  return ms === 0 ? spot.wrong('must be more than 0') : ms
})

/** A time of 0 or at least `ms`; read in ms. */
export function durationFrom(ms: number): ValueType<number> {
  return durationOf({ minimum: 0 }, spot => {
    const read = readDuration(spot)
    return read === undefined || read === 0 || read >= ms ? read : spot.wrong(`must be 0 or at least ${ms / 1000} s`)
  })
}

function durationOf(limit: Readonly<Record<string, number>>, read: ValueType<number>['read']): ValueType<number> {
  const schema = {
    anyOf: [
      { type: 'number', ...limit },
      { type: 'string', pattern },
    ],
  }
  return { name: 'time', schema, read }
}

function readDuration(spot: Spot): number | undefined {
  return millisecondsOf(spot.value) ?? spot.wrong(rule)
}

/**
 * Converts seconds, or a text with a unit, to whole ms; returns undefined for anything else, negative times and over 24
 * days.
 */
function millisecondsOf(value: unknown): number | undefined {
  const ms = typeof value === 'number' ? value * 1000 : typeof value === 'string' ? parseDuration(value) : undefined
  if (ms === undefined || !(ms >= 0 && ms <= longestTimerMs)) return undefined
  // A tiny time is not 0, which would switch off what it limits.
  return ms > 0 ? Math.max(1, Math.round(ms)) : 0
}
