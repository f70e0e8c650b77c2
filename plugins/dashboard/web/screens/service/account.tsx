import type { ServiceView } from '../../../../../kernel/events.ts'
import type { WhyAnswer, WhyStep } from '../../../../../kernel/protocol.ts'
import { copy } from '../../actions/copy.ts'
import { Prose } from '../../parts/prose.tsx'
import { useAnswer } from '../../state/answer.ts'
import { hrefOf } from '../../state/place.ts'
import { isWell, momentOf, stateOf } from '../../state/words.ts'

interface Props {
  readonly view: ServiceView
  /** What of its state has changed. */
  readonly changes: readonly unknown[]
}

/** Why a service is in its state, where it is not well: the steps to the cause, the last lines, what has changed. */
export function Account({ view, changes }: Props) {
  const { path, name } = view
  const { answer } = useAnswer<WhyAnswer>('/services/why', { path, service: name }, changes)
  const why = answer.value.value
  if (why === undefined || isWell(view)) return null
  const lines = linesOf(why.tree)
  const [first = '', ...further] = why.because
  return (
    <section class={stateOf(view).shape === 'bad' ? 'card account bad' : 'card account'} aria-label="Why">
      <h2>
        Why <code class="dim">locald why {view.key}</code>
      </h2>
      <p class="sentence">{first}</p>
      {further.length > 0 && (
        <ul>
          {further.map(text => (
            <li key={text}>{withoutName(text, name)}</li>
          ))}
        </ul>
      )}
      {blockersOf(why.tree).length > 0 && (
        <p>
          {'Look at '}
          {blockersOf(why.tree).map(({ key, name: other }) => (
            <a key={key} href={hrefOf('service', { service: key })}>
              {other}
            </a>
          ))}
          {' first.'}
        </p>
      )}
      {lines.length > 0 && <pre>{lines.join('\n')}</pre>}
      <Changed why={why} />
    </section>
  )
}

function Changed({ why: { changes = [], wellAt } }: { readonly why: WhyAnswer }) {
  if (changes.length === 0) return null
  return (
    <>
      <h3>
        {wellAt === undefined || wellAt === null
          ? 'What may have caused it'
          : `Changed since it was last ready, ${momentOf(wellAt)}`}
      </h3>
      <ul class="changed">
        {changes.map(({ text, command }) => (
          <li key={text}>
            <Prose text={text} />
            {command !== null && (
              <button type="button" class="mono" title="Copy the command" onClick={() => copy(command, 'the command')}>
                {command}
              </button>
            )}
          </li>
        ))}
      </ul>
    </>
  )
}

/** Returns a fact without the name of the service that the screen is about. */
function withoutName(text: string, name: string): string {
  return text.startsWith(`${name}: `) ? text.slice(name.length + 2) : text
}

/** Returns the services that it waits for, or failed because of. */
function blockersOf(tree: WhyStep | undefined): readonly WhyStep[] {
  return tree?.causes ?? []
}

/** Returns the last lines of the nearest cause. */
function linesOf(tree: WhyStep | undefined): readonly string[] {
  const [cause] = tree?.causes ?? []
  return cause === undefined ? (tree?.lines ?? []) : linesOf(cause)
}
