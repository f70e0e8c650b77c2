import { computed, useSignal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import type { ServiceView } from '../../../../../kernel/events.ts'
import type { WhyAnswer, WhyStep } from '../../../../../kernel/protocol.ts'
import { contextOf } from '../../actions/context.ts'
import { get } from '../../api.ts'
import { Act } from '../../parts/act.tsx'
import { Mark } from '../../parts/mark.tsx'
import { groups } from '../../state/groups.ts'
import { hrefOf } from '../../state/place.ts'
import { services } from '../../state/services.ts'
import { shortName, stateOf } from '../../state/words.ts'
import { Changes } from './changes.tsx'

/** How many failures are explained at a time; of the others there are the names. */
const limit = 3
/** How many of the last lines are shown. */
const lineLimit = 5

const failed = computed(() => services.value.filter(view => stateOf(view).shape === 'bad'))

/** Explains each service that has failed: why, its last lines, what has changed, what to do. */
export function Failures() {
  // Those that failed only because of another are named in the account of that one.
  const roots = failed.value.filter(view => !isOfDependency(view))
  const shown = (roots.length === 0 ? failed.value : roots).slice(0, limit)
  const others = failed.value.filter(view => !shown.includes(view) && !isOfDependency(view))
  if (shown.length === 0) return <div />
  return (
    <div class="failures">
      {shown.map(view => (
        <Failure key={view.key} view={view} />
      ))}
      {others.length > 0 && (
        <p class="others">
          Also failed:{' '}
          {others.map(({ key }) => (
            <a key={key} href={hrefOf('service', { service: key })}>
              {key}
            </a>
          ))}
        </p>
      )}
    </div>
  )
}

/** Whether a service failed because of another one: its reason begins with that, as `api failed: …`. */
function isOfDependency({ key, project, reason }: ServiceView): boolean {
  const others = failed.value.filter(other => other.project === project && other.key !== key)
  return others.some(({ name }) => reason?.startsWith(`${name} failed`) || reason?.startsWith(`${name} is `))
}

function Failure({ view }: { readonly view: ServiceView }) {
  const why = useSignal<WhyAnswer | undefined>(undefined)
  const { path, name, project, key, status, restarts, reason } = view
  useEffect(() => {
    const aborted = new AbortController()
    get<WhyAnswer>('/services/why', { path, service: name }, aborted.signal).then(
      answer => {
        why.value = answer
      },
      () => undefined,
    )
    return () => aborted.abort()
  }, [key, status, restarts, reason])
  const root = rootOf(why.value?.tree)
  const lines = root?.lines.slice(-lineLimit) ?? []
  const context = contextOf(key)
  return (
    <section class="why" aria-label={`${name} failed`} data-service={key} data-row tabIndex={-1}>
      <Mark shape="bad" />
      <div class="account">
        <p>
          <a class="name" data-open href={hrefOf('service', { service: key })}>
            {name}
          </a>{' '}
          {groups.value.length > 1 && <span class="dim">of {project} </span>}
          {sentence(view)}
          {root !== undefined && root.dependents.length > 0 && (
            <>
              {' '}
              <b>{root.dependents.map(shortName).join(', ')}</b> {root.dependents.length === 1 ? 'waits' : 'wait'} for
              it.
            </>
          )}
        </p>
        {lines.length > 0 && <pre>{lines.join('\n')}</pre>}
        {why.value !== undefined && <Changes why={why.value} />}
      </div>
      <div class="actions">
        <Act id="service.restart" context={context} class="primary">
          Restart <kbd>r</kbd>
        </Act>
        <Act id="service.logs" context={context}>
          Logs
        </Act>
        <Act id="service.report" context={context}>
          Copy report
        </Act>
      </div>
    </section>
  )
}

function sentence({ status, health, reason }: ServiceView): string {
  const word = status === 'running' ? `is ${health}` : status
  return reason === null ? `${word}.` : `${word}: ${reason}.`
}

/** Returns the service at the bottom of the causes, which is to be fixed first. */
function rootOf(step: WhyStep | undefined): WhyStep | undefined {
  const [cause] = step?.causes ?? []
  return cause === undefined ? step : rootOf(cause)
}
