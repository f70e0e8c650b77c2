import { useSignal } from '@preact/signals'
import { useEffect, useLayoutEffect, useMemo, useRef } from 'preact/hooks'
import { levelOf } from '../../../../../kernel/logs/level.ts'
import { activeGroups, projectNameOf } from '../../state/groups.ts'
import { keys } from '../../state/services.ts'
import { durationOf, nameClass, shortName } from '../../state/words.ts'
import { longest, spansOf } from './ansi.ts'
import { TextMatcher } from './matcher.ts'
import { Minimap } from './minimap.tsx'
import type { Model } from './model.ts'
import type { Range } from './range.ts'
import type { Row } from './row.ts'
import { ScrollWatch } from './scroll-watch.ts'
import './ansi.css'

/** px; also in the style sheet. */
const rowHeight = 18
/** Rows that are drawn beyond each edge. */
const overscan = 20
/** History is read when so little is left before the edge, px. */
const nearPx = 1500

interface Props {
  readonly model: Model
  /** Returns the link to a line. */
  linkOf(row: Row): string
}

/** The lines: only those in sight are in the document. It stays where the user reads, whatever comes or goes. */
export function LogList({ model, linkOf }: Props) {
  const pane = useRef<HTMLDivElement>(null)
  const height = useSignal(600)
  const scrolled = useSignal(0)
  /** A line that stays where it is, and how much is hidden from its top on, px. */
  const anchor = useRef({ number: 0, hidden: 0 })
  /** The line that is drawn at the top, in the same way. */
  const drawn = useRef(anchor.current)
  const drawnHeight = useRef(0)
  const watch = useMemo(() => new ScrollWatch(), [])
  const { view, feed } = model
  void model.version.value
  void scrolled.value

  /** Moves with the user. */
  const goAlong = (element: HTMLElement): void => {
    const moved = watch.look(element)
    const { number, hidden } = drawn.current
    if (moved !== 0) anchor.current = drawn.current = { number, hidden: hidden + moved }
  }
  // What the user scrolled just now has had no event yet.
  if (pane.current !== null) goAlong(pane.current)
  const isFollowing = feed.isFollowing && watch.moved >= 0
  const most = Math.max(0, view.size * rowHeight - height.value)
  const within = (px: number) => Math.min(most, Math.max(0, px))
  const target = model.target.value
  if (target !== undefined) {
    const place = view.placeOf(target) * rowHeight
    // Among the last lines it is not in the middle, and new ones must not move it there.
    anchor.current = { number: target, hidden: within(place - Math.floor(height.value / 3)) - place }
  }
  const wanted = view.placeOf(anchor.current.number) * rowHeight + anchor.current.hidden
  const top = isFollowing ? most : within(wanted)
  const place = Math.floor(top / rowHeight)
  drawn.current = { number: view.numberAt(place) ?? feed.lines.end, hidden: top - place * rowHeight }
  // More lines fit into a larger pane: they stay, too.
  if (isFollowing || drawnHeight.current !== height.value) anchor.current = drawn.current
  drawnHeight.current = height.value

  useLayoutEffect(() => {
    if (pane.current !== null) watch.write(pane.current, top)
    if (target !== undefined) model.target.value = undefined
  })
  useEffect(() => {
    const element = pane.current
    if (element === null) return
    const sizes = new ResizeObserver(() => {
      height.value = element.clientHeight
    })
    sizes.observe(element)
    return () => sizes.disconnect()
  }, [])

  const stop = (): void => model.setFollowing(false)
  const onScroll = (): void => {
    const element = pane.current
    if (element === null) return
    goAlong(element)
    const moved = watch.take()
    if (moved !== 0) scrolled.value += 1
    if (feed.isFollowing && moved >= 0) return
    if (moved < 0) stop()
    const { scrollTop, scrollHeight, clientHeight } = element
    const rest = scrollHeight - scrollTop - clientHeight
    // A hit among the last lines may be at the end as well: the list was not scrolled there by the user.
    if (moved > 0 && rest < rowHeight && feed.isAttached) model.setFollowing(true)
    else if (scrollTop < nearPx && feed.hasOlder) void feed.readOlder()
    if (rest < nearPx && !feed.isAttached) void feed.readNewer()
  }
  const onKeyDown = (event: KeyboardEvent): void => {
    if (['ArrowUp', 'PageUp', 'Home'].includes(event.key)) stop()
    if (event.key !== 'End') return
    event.preventDefault()
    model.setFollowing(true)
  }

  // While it follows, all rows are new with each draw.
  const beyond = isFollowing ? 0 : overscan
  const first = Math.max(0, Math.floor(top / rowHeight) - beyond)
  const last = Math.min(view.size, Math.ceil((top + height.value) / rowHeight) + beyond)
  const numbers = Array.from({ length: Math.max(0, last - first) }, (_, at) => view.numberAt(first + at) ?? 0)
  return (
    <div class={activeGroups.value.length > 1 ? 'log-frame has-projects' : 'log-frame'}>
      <div
        class="log"
        role="log"
        aria-live="off"
        aria-label="Output of services"
        tabIndex={0}
        ref={pane}
        onScroll={onScroll}
        onWheel={event => {
          if (event.deltaY < 0) stop()
        }}
        onTouchMove={stop}
        onKeyDown={onKeyDown}
        onPointerOver={showAge}
      >
        <div class="log-all" style={{ height: `${view.size * rowHeight}px` }}>
          <div class="log-part" style={{ transform: `translateY(${first * rowHeight}px)` }}>
            {numbers.map(number => {
              const row = feed.lines.at(number)
              return row === undefined ? null : (
                <Line
                  key={number}
                  number={number}
                  row={row}
                  marks={view.marksOf(number)}
                  isChosen={number === model.chosen.value}
                  linkOf={linkOf}
                />
              )
            })}
          </div>
        </div>
      </div>
      <Minimap model={model} />
    </div>
  )
}

interface LineProps {
  readonly number: number
  readonly row: Row
  /** What to mark in it. */
  readonly marks: TextMatcher | readonly Range[] | undefined
  readonly isChosen: boolean
  linkOf(row: Row): string
}

function Line({ number, row, marks, isChosen, linkOf }: LineProps) {
  const known = keys.value
  const project = projectNameOf(row.service)
  return useMemo(() => {
    const { service, stream, text, time, plain } = row
    const spans = spansOf(text, marks instanceof TextMatcher ? marks.ranges(plain.slice(0, longest)) : (marks ?? []))
    const level = levelOf(plain, stream)
    const rest = text.length - longest
    return (
      <div class={`line is-${level}${isChosen ? ' is-chosen' : ''}`} data-number={number}>
        <a class="time num" href={linkOf(row)} tabIndex={-1} data-time={time}>
          {clockOf(time)}
        </a>
        <em class={nameClass(service, known)} title={service}>
          {shortName(service)}
          {project !== undefined && <span class="of"> {project}</span>}
        </em>
        <code>
          {spans.map((span, at) => {
            const classes = span.classes === '' ? undefined : span.classes
            if (span.isHit)
              return (
                <mark key={at} class={classes}>
                  {span.text}
                </mark>
              )
            return classes === undefined ? (
              span.text
            ) : (
              <span key={at} class={classes}>
                {span.text}
              </span>
            )
          })}
          {rest > 0 && <span class="dim"> … {rest.toLocaleString('en')} more characters</span>}
        </code>
      </div>
    )
  }, [row, marks, isChosen, known, project])
}

/** Returns the local time with milliseconds. */
export function clockOf(time: string): string {
  const date = new Date(time)
  const pad = (count: number, digits = 2) => String(count).padStart(digits, '0')
  const parts = [date.getHours(), date.getMinutes(), date.getSeconds()].map(part => pad(part))
  return `${parts.join(':')}.${pad(date.getMilliseconds(), 3)}`
}

/** Writes the age of a line into the tooltip of its time. */
function showAge({ target }: PointerEvent): void {
  const { time } = target instanceof HTMLElement ? target.dataset : {}
  if (time === undefined || !(target instanceof HTMLElement)) return
  target.title = `${durationOf(Date.now() - Date.parse(time))} ago\n${time}\nLink to this line`
}
