import type { ServiceView } from '../../kernel/events.ts'
import { formatDuration } from './humanize.ts'

const minuteMs = 60_000

/** Returns for how long a service has been running, ms; undefined: it does not run. */
export function uptimeOf(view: ServiceView, nowMs: number): number | undefined {
  const isUp = view.pid !== null || view.status === 'running'
  return view.startedAt === null || !isUp ? undefined : Math.max(0, nowMs - Date.parse(view.startedAt))
}

/** Returns an uptime that changes once a minute after its first one: `42s`, `3m`, `2h05m`. */
export function formatUptime(ms: number | undefined): string {
  if (ms === undefined) return '-'
  if (ms < minuteMs) return `${Math.floor(ms / 1000)}s`
  return ms < 60 * minuteMs ? `${Math.floor(ms / minuteMs)}m` : formatDuration(ms - (ms % minuteMs))
}

/** Returns when the next of these uptimes changes, ms from now; undefined: none does. */
export function nextChange(views: readonly ServiceView[], nowMs: number): number | undefined {
  const waits = views.flatMap(view => {
    const uptime = uptimeOf(view, nowMs)
    if (uptime === undefined) return []
    const stepMs = uptime < minuteMs ? 1000 : minuteMs
    return [stepMs - (uptime % stepMs)]
  })
  return waits.length === 0 ? undefined : Math.max(1000, Math.min(...waits))
}
