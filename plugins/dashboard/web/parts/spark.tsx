import { usageOf } from '../state/usage.ts'

const width = 72
const height = 18
const samples = 40

/** The CPU of a service over the last minutes, as a line; the scale begins at one tenth of a core. */
export function CpuSpark({ id }: { readonly id: string }) {
  const history = usageOf(id).value
  const last = history.at(-1)?.cpu
  if (last === undefined || last === null) return <span class="dim">–</span>
  return (
    <span class="cpu" title={`${last.toFixed(1)} % of one core`}>
      <svg class="spark" viewBox={`0 0 ${width} ${height}`} width={width} height={height} aria-hidden="true">
        <path d={pathOf(history.map(({ cpu }) => cpu ?? 0))} />
      </svg>
      <span class="num">{last.toFixed(last < 9.95 ? 1 : 0)} %</span>
    </span>
  )
}

/** Returns an SVG path of values, the newest at the right. */
export function pathOf(values: readonly number[]): string {
  const top = Math.max(10, ...values)
  const step = width / (samples - 1)
  const from = width - (values.length - 1) * step
  const points = values.map(
    (value, at) => `${(from + at * step).toFixed(1)},${(height - 2 - (value / top) * (height - 4)).toFixed(1)}`,
  )
  return points.length === 1 ? `M0,${height - 2}L${points[0]}` : `M${points.join('L')}`
}
