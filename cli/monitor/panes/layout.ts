import type { Area } from '../../screen/grid.ts'

/** Where what is on the screen; the areas of the list and the log may have no rows. */
export interface Layout {
  readonly head: Area
  readonly list: Area
  /** The line above the log. */
  readonly title: Area
  readonly log: Area
  /** Between list and log, where they are side by side. */
  readonly separator: Area | undefined
  readonly foot: Area
}

/** What there is to place. */
export interface Content {
  readonly columns: number
  readonly rows: number
  /** Lines of the list, with its heading. */
  readonly listRows: number
  /** Columns that the list needs at most. */
  readonly listColumns: number
  /** Whether the log takes all of the screen. */
  readonly isZoomed: boolean
}

/** The smallest screen. */
export const least = { columns: 40, rows: 10 } as const

/** From so many columns on the log is beside the list. */
const sideColumns = 140
const leastList = 4

/** Places the parts of the screen. */
export function arrange({ columns, rows, listRows, listColumns, isZoomed }: Content): Layout {
  const head = { column: 0, row: 0, columns, rows: 1 }
  const foot = { column: 0, row: rows - 1, columns, rows: 1 }
  const body = { column: 0, row: 1, columns, rows: rows - 2 }
  if (isZoomed) {
    return { head, foot, separator: undefined, list: { ...body, rows: 0 }, ...splitTitle(body) }
  }
  if (columns >= sideColumns) {
    const list = { ...body, columns: Math.min(listColumns, Math.floor(columns / 2)) }
    const separator = { ...body, column: list.columns, columns: 1 }
    const right = { ...body, column: list.columns + 2, columns: columns - list.columns - 2 }
    return { head, foot, separator, list, ...splitTitle(right) }
  }
  const most = Math.max(leastList, Math.floor(body.rows * 0.45))
  const list = { ...body, rows: Math.min(listRows, most) }
  const below = { ...body, row: body.row + list.rows, rows: body.rows - list.rows }
  return { head, foot, separator: undefined, list, ...splitTitle(below) }
}

function splitTitle(area: Area): Pick<Layout, 'title' | 'log'> {
  return { title: { ...area, rows: 1 }, log: { ...area, row: area.row + 1, rows: area.rows - 1 } }
}
