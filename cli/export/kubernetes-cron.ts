import type { Table } from '../../kernel/config/document/table.ts'
import type { Notes } from './notes.ts'
import { secondsOf } from './workload.ts'

/** Croner's characters, which the cron of Kubernetes does not know: last day, weekday, n-th weekday. */
const ofCroner = /[LW#]/

/**
 * Returns the schedule of a CronJob: a cron expression, or the one that is nearest to an interval. Undefined, with a
 * note, where there is none. https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/
 */
export function cronScheduleOf(name: string, { schedule, every }: Table, notes: Notes): string | undefined {
  const key = `services.${name}`
  if (typeof schedule === 'string') {
    // Names of days and months have these letters, too.
    if (ofCroner.test(schedule.replace(/[A-Z]{3}/gi, ''))) {
      notes.dropped(`${key}.schedule`, 'L, W and # have no counterpart')
      return undefined
    }
    notes.changed(`${key}.schedule`, 'times are those of the time zone of the cluster: set timeZone for another')
    return schedule.trim()
  }
  const minutes = (secondsOf(every) ?? 60) / 60
  const [written, meant] = nearestCron(minutes)
  if (meant !== minutes)
    notes.changed(
      `${key}.every`,
      `runs every ${meant < 60 ? `${meant} min` : `${meant / 60} h`}: cron has no such interval`,
    )
  return written
}

/** Returns the cron expression of the interval nearest to one in minutes that divides an hour or a day, and that one. */
function nearestCron(minutes: number): readonly [expression: string, minutes: number] {
  const divisors = (whole: number) =>
    Array.from({ length: whole }, (_, at) => at + 1).filter(each => whole % each === 0)
  const choices = [
    ...divisors(60)
      .slice(0, -1)
      .map(each => [each === 1 ? '* * * * *' : `*/${each} * * * *`, each] as const),
    ...divisors(24).map(
      each => [each === 24 ? '0 0 * * *' : each === 1 ? '0 * * * *' : `0 */${each} * * *`, each * 60] as const,
    ),
  ]
  const distance = ([, each]: readonly [string, number]) => Math.abs(Math.log(each / minutes))
  return choices.reduce((best, each) => (distance(each) < distance(best) ? each : best), ['* * * * *', 1] as const)
}
