import { LocaldError } from '../../kernel/errors.ts'
import { parseDuration } from '../../kernel/lib/duration.ts'

/**
 * Parses `10s`, `5m`, `2h`, `1d` before `now`, or an ISO 8601 time; returns it as UTC ISO 8601. Throws USAGE for
 * anything else.
 */
export function parseMoment(flag: string, text: string, now: number): string {
  const agoMs = parseDuration(text, ['s', 'm', 'h', 'd'])
  const isDate = /^\d{4}-\d\d-\d\d/.test(text)
  const time = new Date(agoMs !== undefined ? now - agoMs : isDate ? Date.parse(text) : Number.NaN)
  if (!Number.isNaN(time.getTime())) return time.toISOString()
  throw new LocaldError('USAGE', `${flag} '${text}' is neither a duration nor a time`, {
    hint: 'Use 10s, 5m, 2h, 1d or 2026-01-31T12:00:00Z.',
  })
}

/** Some days less than a timer of Node can wait. */
export const longestWaitMs = 20 * 86_400_000

/** Reads `30s`, `10m`, `2h` or `1d` as ms; undefined for anything else, for none, and for more than 20 days. */
export function readDuration(text: string): number | undefined {
  const ms = Math.round(parseDuration(text, ['s', 'm', 'h', 'd']) ?? 0)
  return ms > 0 && ms <= longestWaitMs ? ms : undefined
}

/** Parses a whole number from 0. Throws USAGE that names the flag. */
export function parseCount(flag: string, text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text)
  throw new LocaldError('USAGE', `${flag} '${text}' is not a whole number`, { hint: `Use for example ${flag} 50.` })
}

/** Parses seconds; returns ms. Throws USAGE that names the flag. */
export function parseSeconds(flag: string, text: string): number {
  if (/^\d{1,6}(?:\.\d{1,3})?$/.test(text)) return Math.round(Number(text) * 1000)
  throw new LocaldError('USAGE', `${flag} '${text}' is not a number of seconds`, {
    hint: `Use for example ${flag}${flag.startsWith('-') ? ' ' : '='}30.`,
  })
}

/** Parses a port, or 0 for any. Throws USAGE that names the variable or flag. */
export function parsePort(name: string, text: string): number {
  if (/^\d{1,5}$/.test(text) && Number(text) <= 65_535) return Number(text)
  throw new LocaldError('USAGE', `${name} '${text}' is not a port`, {
    hint: name.startsWith('-') ? `Use for example ${name} 8080.` : `Use for example ${name}=8080; 0 is any free one.`,
  })
}
