/** Returns a duration in ms as people write it: `1.2s`, `3m12s`, `2h05m`, `4d3h`. */
export function formatDuration(ms: number): string {
  const seconds = Math.max(0, ms) / 1000
  if (seconds < 9.95) return `${seconds.toFixed(1)}s`
  const whole = Math.round(seconds)
  if (whole < 60) return `${whole}s`
  if (whole < 3600) return `${Math.floor(whole / 60)}m${pad(whole % 60)}s`
  const hours = Math.floor(whole / 3600)
  if (hours < 24) return `${hours}h${pad(Math.floor(whole / 60) % 60)}m`
  return `${Math.floor(hours / 24)}d${hours % 24}h`
}

/** Returns a size as people write it: `812B`, `45.3M`, `1.2G` (powers of 1024). */
export function formatBytes(count: number): string {
  let left = count
  for (const unit of ['B', 'K', 'M', 'G']) {
    if (left < 1024 || unit === 'G') return `${unit === 'B' || left >= 100 ? Math.round(left) : left.toFixed(1)}${unit}`
    left /= 1024
  }
  return String(count)
}

function pad(count: number): string {
  return String(count).padStart(2, '0')
}
