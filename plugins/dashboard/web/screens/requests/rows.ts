/** The requests that the page knows: the topic `requests` keeps them up to date while the screen is shown. */
import { computed, signal } from '@preact/signals'
import type { ExchangesAnswer, ExchangeView } from '../../../../proxy/provides.ts'
import { get } from '../../api.ts'
import { place } from '../../state/place.ts'
import { follow } from '../../stream/client.ts'
import { parseFilter } from './filter.ts'

/** So many are kept on the page, more than the daemon has. */
const limit = 5000

const known = signal<ReadonlyMap<string, ExchangeView>>(new Map())

/** What the daemon records; undefined before its first answer. */
export const record = signal<ExchangesAnswer['record'] | undefined>(undefined)

/** The rows that fit the filter, pinned ones first, then the newest. */
export const rows = computed<readonly ExchangeView[]>(() => {
  const { query } = place.value
  const fits = parseFilter(query.get('q') ?? '', query.getAll('service'))
  const pinned = new Set(pins.value)
  const all = [...known.value.values()].reverse()
  return [...all.filter(({ id }) => pinned.has(id)), ...all.filter(row => !pinned.has(row.id) && fits(row))]
})

/** All rows, the newest last. */
export const total = computed(() => known.value.size)
/** The longest duration, for the bars: ms. */
export const slowest = computed(() => Math.max(50, ...rows.value.map(({ durationMs }) => durationMs ?? 0)))
/** Ids of the pinned ones. */
export const pins = computed(() => place.value.query.getAll('pin'))

export function rowOf(id: string): ExchangeView | undefined {
  return known.value.get(id)
}

/** Follows the requests until the result is called; bodies are kept meanwhile. */
export function followRequests(): () => void {
  void get<ExchangesAnswer>('/requests', { tail: 0 })
    .then(answer => (record.value = answer.record))
    .catch(() => undefined)
  return follow('requests', { onValues: values => add(values.filter(isRow)) })
}

/** Forgets all. */
export function clear(): void {
  known.value = new Map()
}

function add(values: readonly ExchangeView[]): void {
  if (values.length === 0) return
  const next = new Map(known.value)
  for (const row of values) next.set(row.id, row)
  for (const id of next.keys()) {
    if (next.size <= limit) break
    next.delete(id)
  }
  known.value = next
}

function isRow(value: unknown): value is ExchangeView {
  return typeof value === 'object' && value !== null && 'id' in value && 'method' in value
}
