import { keys } from '../../state/services.ts'
import { nameClass } from '../../state/words.ts'
import { clockOf } from './list.tsx'
import type { Model } from './model.ts'
import { toggle } from './query.ts'

/** A longer line is shown to here. */
const longest = 100_000

/** The chosen line, else the last one, with all that does not fit into its row. */
export function WholeLine({ model }: { readonly model: Model }) {
  void model.version.value
  const { view, feed } = model
  const number = model.chosen.value ?? view.numberAt(view.size - 1)
  const row = number === undefined ? undefined : feed.lines.at(number)
  if (row === undefined) return null
  const { service, time, plain } = row
  return (
    <section class="whole" aria-label="Whole line">
      <p class="whole-head">
        <em class={nameClass(service, keys.value)}>{service}</em>
        <time class="num dim" dateTime={time}>
          {clockOf(time)}
        </time>
        <button type="button" title="Close (w)" onClick={() => toggle('whole')}>
          Close
        </button>
      </p>
      <pre tabIndex={0}>{plain.slice(0, longest)}</pre>
    </section>
  )
}
