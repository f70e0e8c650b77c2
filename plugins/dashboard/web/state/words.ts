import type { ServiceView } from '../../../../kernel/events.ts'

/** The shape of a state's mark: no state is shown by its colour alone. */
export type Shape = 'ok' | 'wait' | 'bad' | 'done' | 'off'

/** A state for people. */
export interface StateWords {
  readonly shape: Shape
  /** One word, as in the CLI. */
  readonly word: string
}

/** Returns the state of a service as the CLI names it: `ready` is running and not known to be unhealthy. */
export function stateOf({ status, health, reason }: ServiceView): StateWords {
  if (status === 'running') {
    if (health === 'unhealthy') return { shape: 'bad', word: 'unhealthy' }
    return health === 'starting' ? { shape: 'wait', word: 'starting' } : { shape: 'ok', word: 'ready' }
  }
  if (status === 'failed') return { shape: 'bad', word: status }
  if (status === 'stopped') return { shape: 'off', word: status }
  if (status === 'exited')
    return reason?.includes('code 0') ? { shape: 'done', word: 'completed' } : { shape: 'done', word: status }
  return { shape: 'wait', word: status }
}

/** Whether a service is as it should be, or was stopped. */
export function isWell(view: ServiceView): boolean {
  const { shape } = stateOf(view)
  return shape === 'ok' || shape === 'off' || shape === 'done'
}

/** Whether lists show a service: a hidden one only when it has failed, as `locald status` does. */
export function isListed(view: ServiceView): boolean {
  return view.hidden !== true || stateOf(view).shape === 'bad'
}

/** Returns the sentence of a state: the reason where there is one, else the word. */
export function sentenceOf(view: ServiceView): string {
  const { word } = stateOf(view)
  const isShown = word === 'ready' ? view.type === 'cron' : word !== 'stopped' || view.asleep === true
  const hasReason = view.reason !== null && isShown
  return capitalised(hasReason ? `${word}: ${view.reason}` : word)
}

/** Returns a text with an upper-case first letter. */
export function capitalised(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1)
}

/** Returns the time of day, in 24 hours: `09:24:07`. */
export function clockOf(time: string | number): string {
  return new Date(time).toLocaleTimeString('en-GB')
}

/** Returns date and time, in 24 hours: `1 Dec 2026, 09:24`. */
export function momentOf(time: string | number): string {
  const date = new Date(time)
  const isToday = date.toDateString() === new Date().toDateString()
  return isToday
    ? `today ${date.toLocaleTimeString('en-GB', { timeStyle: 'short' })}`
    : date.toLocaleString('en-GB', { dateStyle: 'medium', timeStyle: 'short' })
}

/** Returns a duration in ms: `4 s`, `12 m`, `2 h 05 m`, `4 d 3 h`. */
export function durationOf(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000))
  if (seconds < 60) return `${seconds} s`
  if (seconds < 3600) return `${Math.floor(seconds / 60)} m`
  const hours = Math.floor(seconds / 3600)
  if (hours < 24) return `${hours} h ${pad(Math.floor(seconds / 60) % 60)} m`
  return `${Math.floor(hours / 24)} d ${hours % 24} h`
}

/** Returns a size: `812 B`, `45.3 MB` (powers of 1024). */
export function bytesOf(count: number): string {
  let left = count
  for (const unit of ['B', 'KB', 'MB', 'GB', 'TB']) {
    if (left < 1024 || unit === 'TB')
      return `${unit === 'B' || left >= 100 ? Math.round(left) : left.toFixed(1)} ${unit}`
    left /= 1024
  }
  return String(count)
}

/** How many colours of names there are. */
const nameColours = 6

/** Returns the class with the colour of a service's name: by its place in its project, as in the CLI. */
export function nameClass(key: string, keys: readonly string[]): string {
  const project = key.slice(0, key.indexOf(':') + 1)
  const own = keys.filter(other => other.startsWith(project))
  return `name-${(Math.max(0, own.indexOf(key)) % nameColours) + 1}`
}

/** Returns the name of a service within its project, of `project:service`. */
export function shortName(key: string): string {
  return key.slice(key.indexOf(':') + 1)
}

function pad(count: number): string {
  return String(count).padStart(2, '0')
}
