import { useSignal } from '@preact/signals'
import { useEffect, useLayoutEffect, useRef } from 'preact/hooks'
import { activeGroups, projectNameOf } from '../../state/groups.ts'
import { hrefOf } from '../../state/place.ts'
import { shortName } from '../../state/words.ts'
import { follow } from '../../stream/client.ts'
import { isLine, type Shown, shownLine } from './shown-line.ts'

/** How many lines are shown. */
const limit = 200
/** Lines are drawn at most this often, ms. */
const drawMs = 100

/** The last lines of all services. Scrolling up stops it; the chip resumes. */
export function LogTail() {
  const lines = useSignal<readonly Shown[]>([])
  const missed = useSignal(0)
  const pane = useRef<HTMLDivElement>(null)
  const isAtEnd = useRef(true)
  useEffect(() => {
    let waiting: Shown[] = []
    let count = 0
    let timer: ReturnType<typeof setTimeout> | undefined
    const draw = (): void => {
      timer = undefined
      if (!isAtEnd.current) return
      lines.value = [...lines.peek(), ...waiting].slice(-limit)
      waiting = []
    }
    const off = follow('logs', {
      tail: limit,
      onValues: values => {
        for (const value of values) {
          count += 1
          if (isLine(value)) waiting.push(shownLine(value, count))
        }
        if (!isAtEnd.current) missed.value += values.length
        waiting = waiting.slice(-limit)
        timer ??= setTimeout(draw, drawMs)
      },
    })
    const resume = () => {
      timer ??= setTimeout(draw, 0)
    }
    const element = pane.current
    element?.addEventListener('resume', resume)
    return () => {
      off()
      clearTimeout(timer)
      element?.removeEventListener('resume', resume)
    }
  }, [])
  useLayoutEffect(() => {
    if (isAtEnd.current) pane.current?.scrollTo(0, pane.current.scrollHeight)
  }, [lines.value])
  const resume = (): void => {
    isAtEnd.current = true
    missed.value = 0
    pane.current?.scrollTo(0, pane.current.scrollHeight)
    pane.current?.dispatchEvent(new Event('resume'))
  }
  const onScroll = (): void => {
    const element = pane.current
    if (element === null) return
    const isNow = element.scrollHeight - element.scrollTop - element.clientHeight < 24
    if (isNow && !isAtEnd.current) resume()
    isAtEnd.current = isNow
  }
  return (
    <section
      class={activeGroups.value.length > 1 ? 'tail has-projects' : 'tail'}
      aria-label="Last lines of all services"
    >
      <div class="log" role="log" aria-live="off" aria-label="Output" ref={pane} tabIndex={0} onScroll={onScroll}>
        {lines.value.map(line => (
          <Line key={line.id} line={line} />
        ))}
        {lines.value.length === 0 && <p class="dim none">No output so far</p>}
      </div>
      {missed.value > 0 && (
        <button type="button" class="new num" onClick={resume}>
          {missed.value.toLocaleString('en')} new ↓
        </button>
      )}
    </section>
  )
}

function Line({ line: { time, at, service, name, text, error } }: { readonly line: Shown }) {
  const project = projectNameOf(service)
  return (
    <div class={error ? 'e' : undefined}>
      <time title={time}>{at}</time>
      <a class={name} href={hrefOf('logs', { query: { service } })} tabIndex={-1}>
        {shortName(service)}
        {project !== undefined && <span class="of"> {project}</span>}
      </a>
      <span>{text}</span>
    </div>
  )
}
