import type { DependencyView, DetailsAnswer } from '../../../../../kernel/protocol.ts'
import { Mark } from '../../parts/mark.tsx'
import { hrefOf } from '../../state/place.ts'
import { serviceOf } from '../../state/services.ts'
import { shortName, stateOf } from '../../state/words.ts'

/** What a service depends on, and what depends on it. */
export function Neighbours({ details: { dependencies, dependents } }: { readonly details: DetailsAnswer }) {
  if (dependencies.length === 0 && dependents.length === 0) return null
  return (
    <section class="card connected" aria-label="Dependencies">
      {dependencies.length > 0 && (
        <>
          <h2>Depends on</h2>
          <ul class="neighbours">
            {dependencies.map(each => (
              <Neighbour key={each.key} id={each.key} condition={each.condition} />
            ))}
          </ul>
        </>
      )}
      {dependents.length > 0 && (
        <>
          <h2>Needed by</h2>
          <ul class="neighbours">
            {dependents.map(key => (
              <Neighbour key={key} id={key} />
            ))}
          </ul>
        </>
      )}
    </section>
  )
}

interface Props {
  readonly id: string
  /** The state in which it must be. */
  readonly condition?: DependencyView['condition']
}

function Neighbour({ id, condition }: Props) {
  const view = serviceOf(id).value
  const state = view === undefined ? undefined : stateOf(view)
  return (
    <li>
      <Mark shape={state?.shape ?? 'off'} />
      <a href={hrefOf('service', { service: id })}>{shortName(id)}</a>
      <span class={state?.shape === 'bad' ? 'bad-text' : 'dim'}>{state?.word}</span>
      {condition !== undefined && <small class="dim">must be {condition}</small>}
    </li>
  )
}
