import type { ServiceView } from '../../../kernel/events.ts'
import { isWithin } from '../../../kernel/lib/subpath.ts'
import { stateOf } from '../../output/service-state.ts'
import type { Row } from './services.ts'

/** Which line of the list is selected. It stays with its service when others come and go. */
export class Selection {
  readonly #cwd: string
  #id: string | undefined
  #index = 0

  /** @param cwd the folder whose project is selected at first */
  constructor(cwd: string) {
    this.#cwd = cwd
  }

  /** Returns the selected row, the nearest one where it was removed. */
  of(rows: readonly Row[]): Row | undefined {
    if (rows.length === 0) return undefined
    this.#id ??= firstOf(rows, this.#cwd)
    const index = rows.findIndex(({ id }) => id === this.#id)
    if (index < 0) return this.#select(rows, this.#index)
    this.#index = index
    return rows[index]
  }

  /** Moves by so many rows; up to the first or the last. */
  move(rows: readonly Row[], by: number): void {
    this.of(rows)
    this.#select(rows, this.#index + by)
  }

  #select(rows: readonly Row[], index: number): Row | undefined {
    this.#index = Math.max(0, Math.min(rows.length - 1, index))
    const row = rows[this.#index]
    this.#id = row?.id
    return row
  }
}

/** Returns the service that is most likely looked for: of this folder's project, one that failed before others. */
function firstOf(rows: readonly Row[], cwd: string): string | undefined {
  const views = rows.flatMap(row => (row.kind === 'service' ? [row.view] : []))
  const own = views.filter(({ path }) => isWithin(cwd, path))
  const near = own.length > 0 ? own : views
  return (near.find(isBad) ?? near[0])?.key
}

function isBad(view: ServiceView): boolean {
  return ['failed', 'unhealthy'].includes(stateOf(view))
}
