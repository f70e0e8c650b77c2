import type { Shape } from '../state/words.ts'

/** The mark of a state: a shape and a colour. The word stands beside it. */
export function Mark({ shape }: { readonly shape: Shape }) {
  return <i class={`s ${shape}`} aria-hidden="true" />
}

/** The heading of a column of marks. */
export function MarkHeading() {
  return (
    <th class="mark">
      <span class="only-read">Mark</span>
    </th>
  )
}
