import type { ComponentChildren } from 'preact'
import { actionOf, type Context, isShown } from '../actions/registry.ts'
import { notifyError } from '../state/notices.ts'
import { Icon, type IconName } from './icon.tsx'

interface Props {
  /** The id of an action of the registry. */
  readonly id: string
  readonly context: Context
  readonly icon?: IconName
  readonly class?: string
  /** What the button says; default: its icon, with the action's title as its name. */
  readonly children?: ComponentChildren
}

/** A button of an action: its title, the CLI's words and its key are in the tooltip. Nothing where it cannot be done. */
export function Act({ id, context, icon, class: name, children }: Props) {
  const action = actionOf(id)
  if (action === undefined || !isShown(action, context)) return null
  const title = action.title(context)
  const cli = action.cli?.(context)
  const tooltip = [title, cli, action.key === undefined ? undefined : `key ${action.key}`].filter(
    it => it !== undefined,
  )
  const run = () => void Promise.resolve(action.run(context)).catch(notifyError)
  return (
    <button
      type="button"
      class={name}
      title={tooltip.join('\n')}
      aria-label={children === undefined ? title : undefined}
      onClick={run}
    >
      {icon !== undefined && <Icon name={icon} />}
      {children}
    </button>
  )
}
