import type { ServiceView } from '../../../../../kernel/events.ts'
import { contextOf } from '../../actions/context.ts'
import { actions, isShown } from '../../actions/registry.ts'
import { notifyError } from '../../state/notices.ts'

/** All that can be done with a service, each with the words of the CLI. */
export function Actions({ view }: { readonly view: ServiceView }) {
  const context = contextOf(view.key)
  const shown = actions.value.filter(
    action => action.isOfService === true && action.id !== 'service.show' && isShown(action, context),
  )
  return (
    <section class="card" aria-label="Actions">
      <h2>Actions</h2>
      <ul class="all-actions">
        {shown.map(action => (
          <li key={action.id}>
            <button
              type="button"
              onClick={() => void Promise.resolve(action.run(context)).catch(notifyError)}
              title={action.key === undefined ? action.title(context) : `${action.title(context)}\nkey ${action.key}`}
            >
              {action.title(context)}
            </button>
            <code class="dim">{action.cli?.(context) ?? ''}</code>
          </li>
        ))}
      </ul>
    </section>
  )
}
