import { place, setQuery } from '../../state/place.ts'
import type { Search } from './matcher.ts'
import { type Level, levels, type Row } from './row.ts'

/** What the URL says of this screen. */
export interface LogsPlace extends Search {
  /** Keys of services; none: all. */
  readonly services: readonly string[]
  readonly isFilter: boolean
  readonly level: Level
  /** `SERVICE@TIME` of a line that a link leads to. */
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
    line: query.get('line') ?? undefined,
  }
}

/** Turns a switch of the URL on or off. */
export function toggle(name: 'regex' | 'case' | 'filter'): void {
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

/** Returns the name of a line in the URL. */
export function lineName({ service, time }: Row): string {
  return `${service}@${time}`
}

/** Returns the link to a line, with what else is shown. */
export function lineLink(row: Row): string {
  const query = new URLSearchParams(place.value.query)
  query.set('line', lineName(row))
  return `/logs?${query}`
}
