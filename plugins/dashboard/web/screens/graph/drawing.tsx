import { useSignal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import { formatMeasured } from '../../../../../kernel/lib/duration.ts'
import type { GraphService } from '../../../../../kernel/protocol.ts'
import { Mark } from '../../parts/mark.tsx'
import { notifyError } from '../../state/notices.ts'
import { pending } from '../../state/pending.ts'
import { hrefOf } from '../../state/place.ts'
import { serviceOf } from '../../state/services.ts'
import { shortName, stateOf } from '../../state/words.ts'
import { type CriticalPath, spansOf } from './critical-path.ts'
import type { Layout, PlacedNode } from './layout.ts'

interface Props {
  readonly services: readonly GraphService[]
  readonly path: CriticalPath | undefined
}

const narrow = matchMedia('(max-width: 720px)')

/** Draws the services with their dependencies. Arrow keys move between them. */
export function Drawing({ services, path }: Props) {
  const isNarrow = useSignal(narrow.matches)
  const placed = useSignal<Layout | undefined>(undefined)
  useEffect(() => {
    const changed = () => (isNarrow.value = narrow.matches)
    narrow.addEventListener('change', changed)
    return () => narrow.removeEventListener('change', changed)
  }, [])
  const shape = services.map(({ key, dependsOn }) => `${key}>${dependsOn.join()}`).join(' ')
  useEffect(() => {
    let isOver = false
    import('./layout.ts').then(({ layoutOf }) => {
      if (!isOver) placed.value = layoutOf(services, isNarrow.value)
    }, notifyError)
    return () => {
      isOver = true
    }
  }, [shape, isNarrow.value])
  if (placed.value === undefined) return <div class="drawing" />
  const { size, width, height, nodes, edges } = placed.value
  const critical = path?.steps.map(({ key }) => key) ?? []
  const isCritical = (from: string, to: string) =>
    critical.indexOf(to) > 0 && critical[critical.indexOf(to) - 1] === from
  return (
    // biome-ignore lint/a11y/useSemanticElements: a group of links, not of fields
    <div class="drawing" role="group" aria-label="Services, in the order of their start" onKeyDown={move}>
      <div class="canvas" style={{ width: `${width}px`, height: `${height}px` }}>
        <svg width={width} height={height} aria-hidden="true" focusable="false">
          <defs>
            {['', 'critical'].map(name => (
              <marker
                key={name}
                id={`arrow-${name}`}
                class={name}
                viewBox="0 0 8 8"
                refX="7"
                refY="4"
                markerWidth="7"
                markerHeight="7"
                orient="auto-start-reverse"
              >
                <path d="M0,0L8,4L0,8z" />
              </marker>
            ))}
          </defs>
          {edges.map(({ from, to, path: d }) => {
            const name = isCritical(from, to) ? 'critical' : ''
            return <path key={`${from} ${to}`} class={`edge ${name}`} d={d} marker-end={`url(#arrow-${name})`} />
          })}
        </svg>
        {nodes.map(node => {
          const service = services.find(({ key }) => key === node.key)
          return (
            service !== undefined && (
              <Node key={node.key} node={node} service={service} size={size} isCritical={critical.includes(node.key)} />
            )
          )
        })}
      </div>
    </div>
  )
}

interface NodeProps {
  readonly node: PlacedNode
  readonly service: GraphService
  readonly size: Layout['size']
  readonly isCritical: boolean
}

/** One service; it is rendered only when this service changes. */
function Node({ node: { key, x, y }, service, size, isCritical }: NodeProps) {
  const view = serviceOf(key).value
  if (view === undefined) return null
  const asked = pending.value.get(key)
  const state = stateOf(view)
  const shape = asked === undefined ? state.shape : 'wait'
  const { waitedMs, readyMs } = spansOf(service)
  return (
    <a
      class={`node ${shape} ${isCritical ? 'critical' : ''}`}
      href={hrefOf('service', { service: key })}
      data-service={key}
      style={{ left: `${x}px`, top: `${y}px`, width: `${size.width}px`, height: `${size.height}px` }}
    >
      <Mark shape={shape} />
      <b>{shortName(key)}</b>
      <span class="word">{asked ?? state.word}</span>
      <small class="num">
        {waitedMs !== undefined && <span>waited {formatMeasured(waitedMs)}</span>}
        {readyMs !== undefined && <span>ready in {formatMeasured(readyMs)}</span>}
      </small>
    </a>
  )
}

const directions: Readonly<Record<string, readonly [x: number, y: number]>> = {
  ...{ ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] },
}

/** Moves the focus to the nearest node in the direction of an arrow key. */
function move(event: KeyboardEvent): void {
  const direction = directions[event.key]
  const present = document.activeElement
  if (direction === undefined || !(present instanceof HTMLElement) || !present.matches('.drawing .node')) return
  const [dx, dy] = direction
  const { x, y } = present.getBoundingClientRect()
  const others = [...document.querySelectorAll<HTMLElement>('.drawing .node')].flatMap(node => {
    const place = node.getBoundingClientRect()
    const along = (place.x - x) * dx + (place.y - y) * dy
    const across = Math.abs((place.x - x) * dy) + Math.abs((place.y - y) * dx)
    return along > 1 ? [{ node, distance: along + across * 2 }] : []
  })
  const [nearest] = others.sort((a, b) => a.distance - b.distance)
  if (nearest === undefined) return
  event.preventDefault()
  nearest.node.focus()
}
