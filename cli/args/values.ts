import { LocaldError } from '../../kernel/errors.ts'

const secondsIn = { s: 1, m: 60, h: 3600, d: 86_400 } as const

/** A duration in ms as people say it: `1.2s`, `3m12s`, `2h05m`, `4d3h`. */
export function duration(ms: number): string {
  const seconds = Math.max(0, ms) / 1000
  if (seconds < 9.95) return `${seconds.toFixed(1)}s`
  const whole = Math.round(seconds)
  if (whole < 60) return `${whole}s`
  if (whole < 3600) return `${Math.floor(whole / 60)}m${pad(whole % 60)}s`
  const hours = Math.floor(whole / 3600)
  if (hours < 24) return `${hours}h${pad(Math.floor(whole / 60) % 60)}m`
  return `${Math.floor(hours / 24)}d${hours % 24}h`
}

/** Bytes as people say them: `812B`, `45.3M`, `1.2G` (powers of 1024). */
export function bytes(count: number): string {
  let left = count
  for (const unit of ['B', 'K', 'M', 'G']) {
    if (left < 1024 || unit === 'G') return `${unit === 'B' || left >= 100 ? Math.round(left) : left.toFixed(1)}${unit}`
    left /= 1024
  }
  return String(count)
}

/** `10s`, `5m`, `2h`, `1d` before `now`, or an ISO 8601 time, as UTC ISO 8601. Throws USAGE for anything else. */
export function since(text: string, now: number): string {
  const [, count, unit] = /^(\d{1,9}(?:\.\d+)?)([smhd])$/.exec(text) ?? []
  if (count !== undefined && (unit === 's' || unit === 'm' || unit === 'h' || unit === 'd')) {
    return new Date(now - Number(count) * secondsIn[unit] * 1000).toISOString()
  }
  const time = /^\d{4}-\d\d-\d\d/.test(text) ? Date.parse(text) : Number.NaN
  if (!Number.isNaN(time)) return new Date(time).toISOString()
  throw new LocaldError('USAGE', `--since '${text}' is neither a duration nor a time`, {
    hint: 'Use 10s, 5m, 2h, 1d or 2026-01-31T12:00:00Z.',
  })
}

/** A whole number from 0. Throws USAGE that names the flag. */
export function count(flag: string, text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text)
  throw new LocaldError('USAGE', `${flag} '${text}' is not a whole number`, { hint: `For example ${flag} 50.` })
}

/** Seconds as ms. Throws USAGE that names the flag. */
export function seconds(flag: string, text: string): number {
  if (/^\d{1,6}(?:\.\d{1,3})?$/.test(text)) return Math.round(Number(text) * 1000)
  throw new LocaldError('USAGE', `${flag} '${text}' is not a number of seconds`, { hint: `For example ${flag} 30.` })
}

/** A port, or 0 for any. Throws USAGE that names the variable. */
export function port(name: string, text: string): number {
  if (/^\d{1,5}$/.test(text) && Number(text) <= 65_535) return Number(text)
  throw new LocaldError('USAGE', `${name} '${text}' is not a port`, {
    hint: `For example ${name}=8080; 0 is any free one.`,
  })
}

function pad(count: number): string {
  return String(count).padStart(2, '0')
}
