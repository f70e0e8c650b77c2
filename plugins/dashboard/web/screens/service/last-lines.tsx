import { useSignal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import type { LogLine } from '../../../../../kernel/events.ts'
import { hrefOf } from '../../state/place.ts'
import { follow } from '../../stream/client.ts'

/** How many lines are shown. */
const limit = 12
/** Without a line after so long there is none, ms. */
const emptyMs = 1500
/** Lines are drawn at most this often, ms. */
const drawMs = 200

/** The last lines of a service, with the way to all of them. */
export function LastLines({ id }: { readonly id: string }) {
  const lines = useSignal<readonly LogLine[]>([])
  const isEmpty = useSignal(false)
  useEffect(() => {
    let last: readonly LogLine[] = []
    let timer: ReturnType<typeof setTimeout> | undefined
    const late = setTimeout(() => (isEmpty.value = true), emptyMs)
    const off = follow('logs', {
      services: [id],
      tail: limit,
      onValues: values => {
        last = [...last, ...values.slice(-limit).filter(isLine)].slice(-limit)
        timer ??= setTimeout(() => {
          timer = undefined
          lines.value = last
        }, drawMs)
      },
    })
    return () => {
      off()
      clearTimeout(timer)
      clearTimeout(late)
    }
  }, [id])
  return (
    <section class="card" aria-label="Last lines">
      <h2>
        Last lines{' '}
        <a class="more" href={hrefOf('logs', { query: { service: id } })}>
          All logs
        </a>
      </h2>
      <pre class="lines" role="log" aria-live="off" aria-label="Output" tabIndex={0}>
        {lines.value.length === 0 && isEmpty.value && 'No output so far'}
        {lines.value.map(({ time, text }, at) => (
          <span key={`${time} ${at}`}>
            <time dateTime={time}>{new Date(time).toLocaleTimeString('en-GB')}</time> {plainText(text)}
            {'\n'}
          </span>
        ))}
      </pre>
    </section>
  )
}

/** Returns text without colours and other control sequences. */
function plainText(text: string): string {
  return text.replace(
    /\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_])|[\x00-\x08\x0b-\x1f\x7f]/g,
    '',
  )
}

function isLine(value: unknown): value is LogLine {
  return typeof value === 'object' && value !== null && 'text' in value && 'service' in value
}
