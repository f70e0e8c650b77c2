import { useSignal, useSignalEffect } from '@preact/signals'
import { useEffect, useRef } from 'preact/hooks'
import type { UsageAnswer } from '../../../../../kernel/protocol.ts'
import { get } from '../../api.ts'
import { theme } from '../../state/theme.ts'
import { usageOf } from '../../state/usage.ts'
import { bytesOf } from '../../state/words.ts'
import type { Chart } from './chart.ts'

/** Times in ms since the epoch, percents of one core, bytes. */
type Sample = readonly [number, number, number]

/** How many samples are shown: ten minutes of one every two seconds. */
const limit = 300

/** Steps of the axes: percents; bytes, from 1 MB. */
const percents = [0.5, 1, 2, 5, 10, 20, 50, 100, 200, 400]
const sizes = Array.from({ length: 16 }, (_, power) => 2 ** (power + 20))

/** CPU and memory of a service over the last ten minutes, as far as a page was open. */
export function UsageCharts({ id, path, name }: { readonly id: string; readonly path: string; readonly name: string }) {
  const samples = useSignal<readonly Sample[]>([])
  useEffect(() => {
    const aborted = new AbortController()
    get<UsageAnswer>('/services/usage', { path, service: name }, aborted.signal).then(
      ({ samples: past }) => {
        samples.value = past
      },
      () => undefined,
    )
    return () => aborted.abort()
  }, [id])
  useSignalEffect(() => {
    const last = usageOf(id).value.at(-1)
    if (last === undefined || last.cpu === null || last.memory === null) return
    samples.value = [...samples.peek(), [Date.now(), last.cpu, last.memory] as const].slice(-limit)
  })
  const last = samples.value.at(-1)
  if (last === undefined) return null
  // The last sample of a service that has exited is not what it uses now.
  const isMeasured = usageOf(id).value.at(-1)?.memory !== null
  return (
    <section class="card charts" aria-label="CPU and memory">
      <OneChart
        title="CPU"
        now={isMeasured ? `${last[1].toFixed(1)} % of one core` : '–'}
        samples={samples.value}
        at={1}
      />
      <OneChart title="Memory" now={isMeasured ? bytesOf(last[2]) : '–'} samples={samples.value} at={2} />
    </section>
  )
}

interface ChartProps {
  readonly title: string
  readonly now: string
  readonly samples: readonly Sample[]
  /** Which of the values of a sample. */
  readonly at: 1 | 2
}

function OneChart({ title, now, samples, at }: ChartProps) {
  const place = useRef<HTMLDivElement>(null)
  const chart = useRef<Chart | undefined>(undefined)
  const latest = useRef(samples)
  latest.current = samples
  const draw = () => chart.current?.draw(latest.current.map(([time, ...values]) => [time, values[at - 1] ?? 0]))
  useSignalEffect(() => {
    // Its colours are those of the theme.
    void theme.value
    const element = place.current
    let isOver = false
    void import('./chart.ts').then(({ Chart: Loaded }) => {
      if (isOver || element === null) return
      chart.current =
        at === 1 ? new Loaded(element, value => `${value} %`, percents) : new Loaded(element, bytesOf, sizes)
      draw()
    })
    return () => {
      isOver = true
      chart.current?.close()
      chart.current = undefined
    }
  })
  useEffect(draw, [samples])
  return (
    <figure>
      <figcaption>
        {title} <span class="num dim">{now}</span>
      </figcaption>
      <div class="chart" ref={place} role="img" aria-label={`${title} over the last ten minutes, now ${now}`} />
    </figure>
  )
}
