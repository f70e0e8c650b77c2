import { useSignal } from '@preact/signals'
import type { ServiceView } from '../../../../../kernel/events.ts'
import type { EnvAnswer, EnvVariable } from '../../../../../kernel/protocol.ts'
import { contextOf } from '../../actions/context.ts'
import { Act } from '../../parts/act.tsx'
import { useAnswer } from '../../state/answer.ts'
import { place, setQuery } from '../../state/place.ts'
import { VariableValue } from './variable.tsx'

interface Props {
  readonly view: ServiceView
  /** What of its state has changed. */
  readonly changes: readonly unknown[]
}

/** The environment that a service gets, each value with what sets it. Those of the shell are folded away. */
export function EnvironmentTable({ view, changes }: Props) {
  const { path, name, key } = view
  const { answer } = useAnswer<EnvAnswer>('/services/env', { path, service: name }, changes)
  const isShellShown = useSignal(false)
  const text = place.value.query.get('env') ?? ''
  const { value, error } = answer.value
  const found = value?.variables.filter(variable => isFound(variable, text)) ?? []
  const own = found.filter(({ from }) => from.layer !== 'shell')
  const ofShell = found.filter(({ from }) => from.layer === 'shell')
  const areAllShown = isShellShown.value || text !== ''
  const shown = areAllShown ? [...own, ...ofShell] : own
  const isOld = value !== undefined && (value.removed.length > 0 || value.variables.some(({ current }) => !current))
  return (
    <section class="card" aria-label="Environment">
      <h2>
        Environment <code class="dim">locald env {key}</code>
        <input
          type="search"
          value={text}
          placeholder="Filter"
          aria-label="Filter the environment"
          onInput={event => setQuery({ env: event.currentTarget.value || undefined })}
        />
      </h2>
      {error !== undefined && (
        <p class="problem">
          {error.message} {error.hint}
        </p>
      )}
      {isOld && (
        <p class="problem">
          The process has other values of what is marked with *.{' '}
          <Act id="service.restart" context={contextOf(key)}>
            Restart to apply
          </Act>
        </p>
      )}
      {value !== undefined && (
        <table class="environment">
          <thead>
            <tr>
              <th scope="col">Name</th>
              <th scope="col">Value</th>
              <th scope="col">Set by</th>
            </tr>
          </thead>
          <tbody>
            {shown.map(variable => (
              <Row key={variable.name} view={view} variable={variable} />
            ))}
          </tbody>
        </table>
      )}
      {!areAllShown && ofShell.length > 0 && (
        <button type="button" onClick={() => (isShellShown.value = true)}>
          Show {ofShell.length} of the shell that ran <code>locald up</code>
        </button>
      )}
      {value !== undefined && found.length === 0 && <p class="dim">No variable matches.</p>}
    </section>
  )
}

function Row({ view, variable }: { readonly view: ServiceView; readonly variable: EnvVariable }) {
  const { name, from, overrides, current } = variable
  return (
    <tr>
      <th scope="row" class="mono">
        {name}
        {!current && <span title="The process has another value"> *</span>}
      </th>
      <td>
        <VariableValue view={view} variable={variable} />
      </td>
      <td class="from">
        {from.text}
        {overrides.length > 0 && <small class="dim"> over {overrides.map(({ text }) => text).join(', ')}</small>}
      </td>
    </tr>
  )
}

/** Whether a variable has a text in its name, in what is shown of its value, or in what sets it. */
function isFound({ name, value, from }: EnvVariable, text: string): boolean {
  const wanted = text.toLowerCase()
  return [name, value, from.text].some(part => part.toLowerCase().includes(wanted))
}
