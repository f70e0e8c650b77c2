import { useSignal } from '@preact/signals'
import { useEffect, useRef } from 'preact/hooks'
import { type Action, actions, type Context, isShown } from '../actions/registry.ts'
import { notifyError } from '../state/notices.ts'
import { Icon } from './icon.tsx'

/** A button that opens a list of all that can be done with a service, each with the CLI's words. */
export function ActionMenu({ context, label }: { readonly context: Context; readonly label: string }) {
  const isOpen = useSignal(false)
  const button = useRef<HTMLButtonElement>(null)
  const close = () => {
    isOpen.value = false
    button.current?.focus()
  }
  return (
    <>
      <button
        type="button"
        ref={button}
        aria-label={label}
        title={label}
        aria-haspopup="menu"
        aria-expanded={isOpen.value}
        onClick={() => (isOpen.value = !isOpen.value)}
      >
        <Icon name="more" />
      </button>
      {isOpen.value && <Menu context={context} anchor={button.current} label={label} close={close} />}
    </>
  )
}

interface MenuProps {
  readonly context: Context
  readonly anchor: HTMLElement | null
  readonly label: string
  close(): void
}

function Menu({ context, anchor, label, close }: MenuProps) {
  const menu = useRef<HTMLDivElement>(null)
  useEffect(() => {
    const element = menu.current
    if (element === null || anchor === null) return
    element.showPopover()
    place(element, anchor)
    element.querySelector<HTMLElement>('[role=menuitem]')?.focus()
  }, [])
  const run = (action: Action): void => {
    close()
    void Promise.resolve(action.run(context)).catch(notifyError)
  }
  const onKeyDown = (event: KeyboardEvent): void => {
    const items = [...(menu.current?.querySelectorAll<HTMLElement>('[role=menuitem]') ?? [])]
    const at = items.findIndex(item => item.contains(document.activeElement))
    if (event.key === 'ArrowDown') items[(at + 1) % items.length]?.focus()
    else if (event.key === 'ArrowUp') items.at(at - 1)?.focus()
    else if (event.key === 'Home') items[0]?.focus()
    else if (event.key === 'End') items.at(-1)?.focus()
    else if (event.key === 'Escape' || event.key === 'Tab') close()
    else return
    event.preventDefault()
    event.stopPropagation()
  }
  return (
    <div
      ref={menu}
      class="menu"
      role="menu"
      tabIndex={-1}
      aria-label={label}
      popover="auto"
      onKeyDown={onKeyDown}
      onToggle={event => {
        if (event.newState === 'closed') close()
      }}
    >
      {actions.value
        .filter(action => (action.isOfService === true || action.id.startsWith('project.')) && isShown(action, context))
        .map(action => (
          <button type="button" role="menuitem" tabIndex={-1} key={action.id} onClick={() => run(action)}>
            <span>{action.title(context)}</span>
            <code class="dim">{action.cli?.(context) ?? ''}</code>
          </button>
        ))}
    </div>
  )
}

/** Places a menu below its button, or above where there is no room. */
function place(menu: HTMLElement, anchor: HTMLElement): void {
  const { top, bottom, right } = anchor.getBoundingClientRect()
  const { width, height } = menu.getBoundingClientRect()
  menu.style.left = `${Math.max(8, right - width)}px`
  menu.style.top = `${bottom + height + 8 > innerHeight ? Math.max(8, top - height - 4) : bottom + 4}px`
}
