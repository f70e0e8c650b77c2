/** The units that a written time can have, in ms. */
const unitMs = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const

/** A unit of time, as people write it. */
export type TimeUnit = keyof typeof unitMs

/** The longest time that a timer of Node can wait, in ms (about 24 days). */
export const longestTimerMs = 2_147_483_647

/**
 * Parses a number and its unit, such as `500ms`, `30s` or `1.5h`; returns ms, which may be fractional. Undefined for
 * anything else, and for a unit that is not among `units`; those of a `locald.toml` by default.
 */
export function parseDuration(text: string, units: readonly TimeUnit[] = ['ms', 's', 'm', 'h']): number | undefined {
  const [, count, written] = /^(\d+(?:\.\d+)?)(ms|[smhd])$/.exec(text) ?? []
  const unit = units.find(each => each === written)
  return unit === undefined ? undefined : Number(count) * unitMs[unit]
}

/** Formats a measured time, ms: `4.2 ms`, `12 ms`, `1.5 s`, `2 m 05 s`. */
export function formatMeasured(ms: number): string {
  if (ms < 9.95) return `${Math.max(0, ms).toFixed(1)} ms`
  if (ms < 999.5) return `${Math.round(ms)} ms`
  const seconds = ms / 1000
  if (seconds < 59.95) return `${seconds.toFixed(1)} s`
  const whole = Math.round(seconds)
  return `${Math.floor(whole / 60)} m ${String(whole % 60).padStart(2, '0')} s`
}
