import type { Spot } from '../problems.ts'

/** The longest time that a timer of Node's can wait, in ms (about 24 days). */
const longest = 2_147_483_647

/** What a time has to be, for messages. */
export const durationRule = 'must be a number of seconds, or a text such as "500ms", "30s" or "2m"'

/** The texts that are times. */
export const durationPattern = '^[0-9]+(\\.[0-9]+)?(ms|s|m|h)$'

const text = new RegExp(durationPattern)
const units: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 }

/** A time in whole ms from seconds or a text with a unit; undefined when it is none, negative, or over 24 days. */
export function parseDuration(value: unknown): number | undefined {
  let ms = Number.NaN
  if (typeof value === 'number') ms = value * 1000
  else if (typeof value === 'string') {
    const unit = text.exec(value)?.[2]
    if (unit !== undefined) ms = Number.parseFloat(value) * (units[unit] ?? Number.NaN)
  }
  if (!(ms >= 0 && ms <= longest)) return undefined
  // A tiny time is not none.
  return ms > 0 ? Math.max(1, Math.round(ms)) : 0
}

/** A time in ms. */
export function readDuration(spot: Spot): number | undefined {
  return parseDuration(spot.value) ?? spot.wrong(durationRule)
}

/** A time in ms, more than none. */
export function readPositive(spot: Spot): number | undefined {
  const ms = readDuration(spot)
  return ms === 0 ? spot.wrong('must be more than 0') : ms
}
