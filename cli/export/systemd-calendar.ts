/** A field of a cron expression: its values, and the names of some. */
interface Field {
  readonly least: number
  readonly most: number
  readonly names: readonly string[]
}

const days = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'] as const
const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'] as const
const minute: Field = { least: 0, most: 59, names: [] }
const hour: Field = { least: 0, most: 23, names: [] }
const dayOfMonth: Field = { least: 1, most: 31, names: [] }
const month: Field = { least: 1, most: 12, names: months }
/** Sunday is 0 and 7. */
const weekday: Field = { least: 0, most: 7, names: days }

const nicknames: Readonly<Record<string, string>> = {
  '@hourly': '0 * * * *',
  '@daily': '0 0 * * *',
  '@midnight': '0 0 * * *',
  '@weekly': '0 0 * * 0',
  '@monthly': '0 0 1 * *',
  '@yearly': '0 0 1 1 *',
  '@annually': '0 0 1 1 *',
}

/**
 * Converts a cron expression to calendar events, of which one is enough: with a day of month and a weekday, either
 * counts. Undefined for what has no counterpart, such as the last day of a month.
 * https://www.freedesktop.org/software/systemd/man/latest/systemd.time.html#Calendar%20Events
 */
export function calendarOf(schedule: string): readonly string[] | undefined {
  // Croner takes `?` for `*`.
  const text = schedule.trim().replaceAll('?', '*')
  const fields = (nicknames[text.toLowerCase()] ?? text).split(/\s+/)
  const [minutes, hours, dates, inMonths] = [minute, hour, dayOfMonth, month].map((field, at) =>
    textOf(valuesOf(fields[at] ?? '', field), field),
  )
  const weekdays = valuesOf(fields[4] ?? '', weekday)
  if (fields.length !== 5 || !minutes || !hours || !dates || !inMonths || weekdays === undefined) return undefined
  const names = [...new Set([...weekdays].map(day => days[day % 7]))]
  const isEveryDay = names.length === days.length
  const event = (date: string, day: string) => `${day}*-${inMonths}-${date} ${hours}:${minutes}:00`
  if (isEveryDay && fields[4] === '*') return [event(dates, '')]
  const byDay = event('*', isEveryDay ? '' : `${names.join(',')} `)
  return fields[2] === '*' ? [byDay] : [event(dates, ''), byDay]
}

/** Writes the values of a field; all of them as `*`. */
function textOf(values: ReadonlySet<number> | undefined, { least, most }: Field): string | undefined {
  if (values === undefined) return undefined
  return values.size === most - least + 1 ? '*' : [...values].sort((a, b) => a - b).join(',')
}

/** Returns the values of a list such as `1-5,30-50/10`. */
function valuesOf(text: string, field: Field): ReadonlySet<number> | undefined {
  const parts = text.split(',').map(part => rangeOf(part, field))
  const known = parts.filter(part => part !== undefined)
  return known.length < parts.length ? undefined : new Set(known.flat())
}

function rangeOf(text: string, field: Field): readonly number[] | undefined {
  const all = `${field.least}-${field === weekday ? 6 : field.most}`
  const [, first = '', last = first, step = '1'] =
    /^(\w+)(?:-(\w+)(?:\/([1-9]\d*))?)?$/.exec(text.replace(/^\*/, all)) ?? []
  const from = numberOf(first, field)
  const to = numberOf(last, field)
  if (from === undefined || to === undefined) return undefined
  // `FRI-SUN` ends with the Sunday after it.
  const most = to === 0 && from > 0 && field === weekday ? 7 : to
  return most < from
    ? undefined
    : Array.from({ length: Math.floor((most - from) / Number(step)) + 1 }, (_, at) => from + at * Number(step))
}

function numberOf(word: string, { least, most, names }: Field): number | undefined {
  const named = names.findIndex(name => name.toLowerCase() === word.toLowerCase())
  const value = named >= 0 ? named + (names === months ? 1 : 0) : /^\d+$/.test(word) ? Number(word) : Number.NaN
  return value >= least && value <= most ? value : undefined
}
