import type { OptionProblem } from '../../kernel/contract/plugin.ts'
import { type ShapeOf, shape } from '../../kernel/contract/shape.ts'
import { cronFault, parseInterval } from './schedule.ts'

/** The options of `type = "cron"`. */
export const options = shape({
  type: 'object',
  properties: {
    command: {
      type: 'string',
      minLength: 1,
      pattern: '\\S',
      description: 'Shell command (sh -c) that runs when it is due.',
    },
    schedule: {
      type: 'string',
      description: 'A cron expression in local time: minute, hour, day of month, month, day of week.',
    },
    every: {
      type: ['string', 'number'],
      description: 'The time from one run to the next, at least 1 s, in place of `schedule`: "30s", "10m", "2h".',
    },
  },
  required: ['command'],
  additionalProperties: false,
})

export type CronOptions = ShapeOf<typeof options>

/** Finds what is wrong with when a command is to run. */
export function findProblems({ schedule, every }: CronOptions): readonly OptionProblem[] {
  if (schedule === undefined && every === undefined)
    return [{ key: 'schedule', message: 'missing key', hint: 'Set `schedule = "*/15 * * * *"`, or `every = "10m"`.' }]
  if (schedule !== undefined && every !== undefined)
    return [{ key: 'every', message: 'cannot be combined with `schedule`', hint: 'Remove one of them.' }]
  const fault = schedule === undefined ? undefined : cronFault(schedule)
  if (fault !== undefined) return [{ key: 'schedule', ...fault }]
  if (every === undefined || parseInterval(every) !== undefined) return []
  return [
    { key: 'every', message: 'must be a time of at least 1 s, such as "30s", "10m" or "2h", and at most 24 days' },
  ]
}
