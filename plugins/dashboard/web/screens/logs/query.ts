import { levels } from '../../../../../kernel/logs/level.ts'
import type { LogLevel } from '../../../../../kernel/protocol.ts'
import { place, setQuery } from '../../state/place.ts'
import type { Search } from './matcher.ts'
import type { Row } from './row.ts'

/** What the URL says of this screen. */
export interface LogsPlace extends Search {
  /** Keys of services; none: all. */
  readonly services: readonly string[]
  readonly isFilter: boolean
  readonly level: LogLevel
  /** Whether the chosen line, or else the last one, is shown with all of its text. */
  readonly isWhole: boolean
  /** Name of the line that a link leads to. */
  readonly line: string | undefined
}

/** Reads the URL. */
export function logsPlace(): LogsPlace {
  const { query } = place.value
  return {
    services: query.getAll('service'),
    text: query.get('q') ?? '',
    isRegex: query.has('regex'),
    isCase: query.has('case'),
    isFilter: query.has('filter'),
    level: levels.find(level => level === query.get('level')) ?? 'debug',
    isWhole: query.has('whole'),
    line: query.get('line') ?? undefined,
  }
}

/** Turns a switch of the URL on or off. */
export function toggle(name: 'regex' | 'case' | 'filter' | 'whole'): void {
  setQuery({ [name]: place.value.query.has(name) ? undefined : '1' })
}

/** Adds a service to those that are shown, or removes it. */
export function toggleService(key: string): void {
  const chosen = place.value.query.getAll('service')
  setQuery({
    service: chosen.includes(key) ? chosen.filter(other => other !== key) : [...chosen, key],
    line: undefined,
  })
}

/** Returns the name of a line in the URL: `SERVICE@TIME`, and a hash, as all lines of one write have one time. */
export function lineName({ service, time, plain }: Row): string {
  return `${service}@${time}.${hashOf(plain)}`
}

/** Returns the time in the name of a line. */
export function timeIn(name: string): string {
  return /@([^@Z]*Z)/.exec(name)?.[1] ?? ''
}

/** FNV-1a, 32 bits. */
function hashOf(text: string): string {
  let hash = 0x811c9dc5
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193)
  return (hash >>> 0).toString(36)
}

/** Returns the link to a line, with what else is shown. */
export function lineLink(row: Row): string {
  const query = new URLSearchParams(place.value.query)
  query.set('line', lineName(row))
  return `/logs?${query}`
}
