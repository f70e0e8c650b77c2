import type { ServiceView } from '../../../../../kernel/events.ts'
import { hrefOf } from '../../state/place.ts'
import { serviceOf, steps } from '../../state/services.ts'
import { capitalised, sentenceOf, stateOf } from '../../state/words.ts'

/** The state of a service in words. Of a dependency there is only the name, as a link: its own row says why. */
export function Sentence({ view }: { readonly view: ServiceView }) {
  const step = view.status === 'starting' ? steps.value.get(view.key) : undefined
  const blockers = blockersOf(view)
  const text = step === undefined ? sentenceOf(view) : `Starting: ${step}`
  if (step !== undefined || blockers.length === 0) return <span title={text}>{text}</span>
  const { word } = stateOf(view)
  return (
    <span title={text}>
      {capitalised(word)} {word === 'waiting' ? 'for' : 'because of'}{' '}
      {blockers.map((name, at) => (
        <>
          {at > 0 && ', '}
          <a key={name} href={hrefOf('service', { service: `${view.project}:${name}` })}>
            {name}
          </a>
        </>
      ))}
    </span>
  )
}

/** Returns the services of the same project that a reason names first: `waiting for api, db` or `api failed: …`. */
export function blockersOf({ project, name, reason }: ServiceView): readonly string[] {
  const [, awaited] = /^waiting for (.+)$/.exec(reason ?? '') ?? []
  const [, other] = /^([\w.-]+) (?:failed|is )/.exec(reason ?? '') ?? []
  const names = awaited?.split(', ').map(part => part.replace(/ \(.*\)$/, '')) ?? (other === undefined ? [] : [other])
  return names.filter(each => each !== name && serviceOf(`${project}:${each}`).value !== undefined)
}
