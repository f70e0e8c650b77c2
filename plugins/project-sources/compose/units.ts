const seconds: Readonly<Record<string, number>> = { h: 3600, m: 60, s: 1, ms: 1e-3, us: 1e-6, µs: 1e-6, ns: 1e-9 }

/** Parses a duration of Go (`1m30s`, `500ms`, a plain number of seconds); returns seconds. */
export function parseDuration(text: string): number | undefined {
  const trimmed = text.trim()
  if (/^\d+(?:\.\d+)?$/.test(trimmed)) return Number(trimmed)
  if (!/^(?:\d+(?:\.\d+)?(?:h|ms|m|s|us|µs|ns))+$/.test(trimmed)) return undefined
  const parts = trimmed.matchAll(/(\d+(?:\.\d+)?)(h|ms|m|s|us|µs|ns)/g)
  const total = [...parts].reduce((sum, [, count, unit = 's']) => sum + Number(count) * (seconds[unit] ?? 1), 0)
  return Math.round(total * 1000) / 1000
}

/** Returns a size in the form that engines take: `64m`; undefined for anything else. */
export function toSize(text: string): string | undefined {
  const [, count, unit = ''] = /^\s*(\d+(?:\.\d+)?)\s*([bkmgt]?)(?:i?b)?\s*$/i.exec(text) ?? []
  if (count === undefined) return undefined
  return unit.toLowerCase() === 't' ? `${Number(count) * 1024}g` : `${count}${unit.toLowerCase()}`
}
