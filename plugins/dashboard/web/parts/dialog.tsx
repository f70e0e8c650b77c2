import type { ComponentChildren } from 'preact'
import { useLayoutEffect, useRef } from 'preact/hooks'

interface Props {
  readonly label: string
  readonly class?: string
  readonly children: ComponentChildren
  close(): void
}

/** A modal dialog: the browser keeps the focus in it and gives it back; Escape and a click beside it close it. */
export function Dialog({ label, class: name, children, close }: Props) {
  const dialog = useRef<HTMLDialogElement>(null)
  // At once: a key that is pressed before the next frame is typed into it.
  useLayoutEffect(() => {
    const element = dialog.current
    element?.showModal()
    // Only a dialog that is closed gives the focus back: one that is merely removed leaves it nowhere.
    return () => element?.close()
  }, [])
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: Escape closes it.
    <dialog
      ref={dialog}
      class={name}
      aria-label={label}
      onCancel={event => {
        event.preventDefault()
        close()
      }}
      onClick={event => {
        if (event.target === dialog.current) close()
      }}
    >
      <div class="inside">{children}</div>
    </dialog>
  )
}
