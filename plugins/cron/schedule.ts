import { Cron } from 'croner'
import { messageOf } from '../../kernel/errors.ts'
import { longestTimerMs, parseDuration } from '../lib/duration.ts'

/** When a command is due: times in ms since the epoch. */
export interface Schedule {
  /** Returns the first time after `nowMs`. `lastMs`: the time before it, from which an interval counts. */
  next(nowMs: number, lastMs?: number): number
}

const leastMs = 1000

/** Croner also accepts seconds, years and single dates. */
const form = /^\s*(?:@[a-z]+|\S+(?:\s+\S+){4})\s*$/i

/** Returns the schedule of a service. Its options were checked: a cron expression without a next time is never due. */
export function scheduleOf({ schedule, every }: { schedule?: string; every?: string | number }): Schedule {
  const cron = schedule === undefined ? undefined : parseCron(schedule)
  const interval = every === undefined ? undefined : parseInterval(every)
  return {
    next(nowMs, lastMs = nowMs) {
      if (interval !== undefined) return lastMs + (Math.floor((nowMs - lastMs) / interval) + 1) * interval
      return cron?.nextRun(new Date(nowMs))?.getTime() ?? Number.POSITIVE_INFINITY
    },
  }
}

/** Returns why a text is no cron expression, or one that is never due. */
export function cronFault(text: string): { readonly message: string; readonly hint: string } | undefined {
  const hint = 'Write minute, hour, day of month, month and day of week, such as "*/15 * * * *" or "0 9 * * MON-FRI".'
  if (!form.test(text)) return { message: 'must be a cron expression of five fields', hint }
  try {
    if (parseCron(text).nextRun() === null) return { message: 'is never due', hint }
    return undefined
  } catch (error) {
    const reason = messageOf(error).replace(/^CronPattern: /, '')
    return { message: `must be a cron expression: ${reason.slice(0, 1).toLowerCase()}${reason.slice(1)}`, hint }
  }
}

/** Converts seconds, or a text with a unit, to ms; undefined for anything else, and for less than a second. */
export function parseInterval(every: string | number): number | undefined {
  const ms = Math.round(typeof every === 'number' ? every * 1000 : (parseDuration(every) ?? Number.NaN))
  return ms >= leastMs && ms <= longestTimerMs ? ms : undefined
}

/** Without a function, Croner only calculates. Local time is that of the daemon. */
function parseCron(text: string): Cron {
  return new Cron(text, { mode: '5-part' })
}
