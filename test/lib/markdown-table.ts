/** Returns a table as Markdown formatters align it. */
export function markdownTable(rows: readonly (readonly string[])[]): string {
  const [head = []] = rows
  const widths = head.map((_, at) => Math.max(...rows.map(row => row[at]?.length ?? 0)))
  const line = (cells: readonly string[], fill = ' ') =>
    `| ${cells.map((cell, at) => cell.padEnd(widths[at] ?? 0, fill)).join(' | ')} |`
  const [first, ...others] = rows.map(row => line(row))
  return [
    first,
    line(
      head.map(() => '-'),
      '-',
    ),
    ...others,
  ].join('\n')
}
