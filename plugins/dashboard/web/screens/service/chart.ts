import uPlot from 'uplot'
import 'uplot/dist/uPlot.min.css'

/** The time that a chart shows, in seconds. */
const windowSeconds = 600
/** Pixels. */
const height = 110

/** One line over the last ten minutes, in the colours of the page. */
export class Chart {
  readonly #plot: uPlot
  readonly #resized: ResizeObserver
  readonly #preferred = matchMedia('(prefers-color-scheme: dark)')
  readonly #redraw = (): void => this.#plot.redraw()

  /**
   * @param format of values on the axis
   * @param steps between them, from which the chart chooses
   */
  constructor(place: HTMLElement, format: (value: number) => string, steps: readonly number[]) {
    const style = getComputedStyle(place)
    // Read at each drawing, as the theme may have changed.
    const colour = (name: string) => () => style.getPropertyValue(name).trim()
    const axis = { stroke: colour('--ink-3'), font: `11px ${style.fontFamily}`, ticks: { show: false } }
    const grid = { stroke: colour('--line'), width: 1 }
    this.#plot = new uPlot(
      {
        ...{ width: place.clientWidth, height, legend: { show: false }, cursor: { show: false } },
        scales: {
          x: { time: true, range: (_, __, last) => [last - windowSeconds, last] },
          y: { range: (_, __, most) => [0, Math.max(most * 1.15, 1)] },
        },
        axes: [
          { ...axis, grid: { show: false }, size: 24, space: 90, values: (_, ticks) => ticks.map(timeOf) },
          { ...axis, grid, size: 62, space: 26, values: (_, ticks) => ticks.map(format), incrs: [...steps] },
        ],
        series: [
          {},
          { stroke: colour('--accent'), width: 1.5, fill: colour('--accent-soft'), points: { show: false } },
        ],
      },
      [[], []],
      place,
    )
    this.#resized = new ResizeObserver(() => this.#plot.setSize({ width: place.clientWidth, height }))
    this.#resized.observe(place)
    this.#preferred.addEventListener('change', this.#redraw)
  }

  /** Draws points: ms since the epoch and a value. */
  draw(points: readonly (readonly [number, number])[]): void {
    this.#plot.setData([points.map(([time]) => time / 1000), points.map(([, value]) => value)])
  }

  close(): void {
    this.#resized.disconnect()
    this.#preferred.removeEventListener('change', this.#redraw)
    this.#plot.destroy()
  }
}

function timeOf(seconds: number): string {
  return new Date(seconds * 1000).toLocaleTimeString('en-GB', { timeStyle: 'short' })
}
