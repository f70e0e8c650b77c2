import { useComputed, useSignal } from '@preact/signals'
import { useLayoutEffect, useRef } from 'preact/hooks'
import { formatMeasured } from '../../../../../kernel/lib/duration.ts'
import type { ExchangeView } from '../../../../proxy/provides.ts'
import { place } from '../../state/place.ts'
import { keys } from '../../state/services.ts'
import { bytesOf, clockOf, nameClass, shortName } from '../../state/words.ts'
import { choose } from './chosen.ts'
import { pins, rows, slowest } from './rows.ts'

/** Of every row, px; the style sheet says the same. */
const rowHeight = 28
/** Rows drawn above and below what is visible. */
const overscan = 10

/** A row, and whether it belongs to the page load above it. */
interface Item {
  readonly row: ExchangeView
  readonly isNested: boolean
}

/** The list: only the rows that are visible are in the document. */
export function List() {
  const box = useRef<HTMLDivElement>(null)
  const top = useSignal(0)
  const height = useSignal(800)
  const items = useComputed<readonly Item[]>(() => itemsOf(rows.value, place.value.query.has('group')))
  const count = items.value.length
  const before = useRef(count)
  useLayoutEffect(() => {
    const element = box.current
    if (element === null) return
    const watch = new ResizeObserver(() => (height.value = element.clientHeight))
    watch.observe(element)
    return () => watch.disconnect()
  }, [])
  // New rows never move what is read.
  useLayoutEffect(() => {
    const element = box.current
    const added = count - before.current
    before.current = count
    if (element !== null && element.scrollTop > 0 && added > 0) element.scrollTop += added * rowHeight
  }, [count])
  const first = Math.max(0, Math.floor(top.value / rowHeight) - overscan)
  const last = Math.min(count, Math.ceil((top.value + height.value) / rowHeight) + overscan)
  return (
    <div class="scroll" ref={box} onScroll={event => (top.value = event.currentTarget.scrollTop)}>
      <table aria-label="Requests" aria-rowcount={count + 1}>
        <thead>
          <tr>
            {columns.map(name => (
              <th key={name} scope="col" class={`c-${name.toLowerCase()}`}>
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          <Space rows={first} />
          {items.value.slice(first, last).map((item, at) => (
            <Row key={item.row.id} item={item} index={first + at + 2} />
          ))}
          <Space rows={count - last} />
        </tbody>
      </table>
    </div>
  )
}

const columns = ['Time', 'Method', 'Status', 'Path', 'Service', 'Duration', 'Size']

/** The height of rows that are not drawn. */
function Space({ rows: count }: { readonly rows: number }) {
  if (count <= 0) return null
  return (
    <tr class="space">
      <td colSpan={columns.length} style={{ height: `${count * rowHeight}px` }} />
    </tr>
  )
}

/** Puts the members of each page load below it. */
function itemsOf(all: readonly ExchangeView[], isGrouped: boolean): readonly Item[] {
  if (!isGrouped) return all.map(row => ({ row, isNested: false }))
  const shown = new Set(all.map(({ id }) => id))
  const isMember = ({ id, page }: ExchangeView) => page !== null && page !== id && shown.has(page)
  const members = Map.groupBy(all.filter(isMember), ({ page }) => page)
  return all
    .filter(row => !isMember(row))
    .flatMap(row => [
      { row, isNested: false },
      ...(members.get(row.id) ?? []).reverse().map(each => ({ row: each, isNested: true })),
    ])
}

function Row({ item: { row, isNested }, index }: { readonly item: Item; readonly index: number }) {
  const { id, time, method, status, path, host, service, kind, durationMs, responseBytes, error } = row
  const isChosen = place.value.query.get('id') === id
  const query = new URLSearchParams(place.value.query)
  query.set('id', id)
  const tone = status === null ? 'x5' : `x${Math.floor(status / 100)}`
  return (
    <tr
      class={isChosen ? 'chosen' : undefined}
      aria-rowindex={index}
      aria-current={isChosen ? 'true' : undefined}
      tabIndex={0}
      data-row
      onClick={() => choose(id)}
    >
      <td class="c-time dim mono">{clockOf(time)}</td>
      <td class="c-method mono">{kind === 'websocket' ? 'WS' : method}</td>
      <td class={`c-status st ${tone}`} title={error ?? undefined}>
        {status ?? (error === null ? '…' : 'failed')}
      </td>
      <td class={`c-path mono${isNested ? ' nested' : ''}`} title={`${host}${path}`}>
        {pins.value.includes(id) && <b class="pinned">pinned </b>}
        <a href={`/requests?${query}`} data-open tabIndex={-1}>
          {path}
        </a>
      </td>
      <td class={`c-service ${service === null ? 'dim' : nameClass(service, keys.value)}`}>
        {service === null ? 'locald' : shortName(service)}
      </td>
      <td class="c-duration num dim">
        <i class="bar" style={{ width: `${Math.min(56, Math.ceil(((durationMs ?? 0) / slowest.value) * 56))}px` }} />
        {durationMs === null ? (kind === 'http' ? '…' : 'open') : formatMeasured(durationMs)}
      </td>
      <td class="c-size num dim">{responseBytes === 0 ? '–' : bytesOf(responseBytes)}</td>
    </tr>
  )
}
