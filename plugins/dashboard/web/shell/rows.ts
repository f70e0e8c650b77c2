/** Moving between the rows of a screen: elements with `data-row` that take the focus, and a link each. */

/** Focuses the next or previous row; the first where none has the focus. */
export function moveRow(step: 1 | -1): void {
  const rows = [...document.querySelectorAll<HTMLElement>('main [data-row]')]
  const at = rows.findIndex(row => row.contains(document.activeElement))
  const next = rows[at < 0 ? 0 : Math.min(rows.length - 1, Math.max(0, at + step))]
  next?.focus()
  next?.scrollIntoView({ block: 'nearest' })
}

/** Opens the focused row by its first link within the app. */
export function openRow(): void {
  const { activeElement } = document
  if (!(activeElement instanceof HTMLElement) || activeElement.dataset['row'] === undefined) return
  activeElement.querySelector<HTMLElement>('a[data-open]')?.click()
}
