/** One figure. `of` is what the ratio is against; `met` is absent without a target. */
export interface Row {
  readonly what: string
  readonly value: number
  readonly unit: string
  readonly ratio?: number
  readonly of?: string
  readonly target?: string
  readonly met?: boolean
}

/** The result of one bench. */
export interface Found {
  readonly bench: string
  readonly about: string
  readonly rows: readonly Row[]
  /** Measurements that were skipped, with the reason. */
  readonly skipped: readonly string[]
}

/** Formats a bench's figures as a table. */
export function tableOf({ bench, about, rows, skipped }: Found): string {
  const cells = rows.map(({ what, value, unit, ratio, of, target, met }) => [
    what,
    `${number(value)} ${unit}`,
    ratio === undefined ? '' : `${ratio.toFixed(2)}x${of === undefined ? '' : ` ${of}`}`,
    target ?? '',
    met === undefined ? '' : met ? 'met' : 'MISSED',
  ])
  const all = [['what', 'median', 'ratio', 'target', ''], ...cells]
  const widths = [0, 1, 2, 3, 4].map(column => Math.max(...all.map(row => row[column]?.length ?? 0)))
  const lines = all.map(row =>
    row
      .map((text, column) => text.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  )
  return [`${bench}: ${about}`, ...lines.map(line => `  ${line}`), ...skipped.map(text => `  skipped: ${text}`)].join(
    '\n',
  )
}

function number(value: number): string {
  return value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2)
}
