import { useSignal } from '@preact/signals'
import type { SearchAddon } from '@xterm/addon-search'
import { useEffect, useRef } from 'preact/hooks'

interface Props {
  readonly search: SearchAddon
  close(): void
}

/** Finds text in a terminal: Enter walks up, Shift-Enter down, Esc closes. */
export function FindBar({ search, close }: Props) {
  const field = useRef<HTMLInputElement>(null)
  const isFound = useSignal(true)
  useEffect(() => {
    field.current?.focus()
    return () => search.clearDecorations()
  }, [])
  const find = (text: string, isDown: boolean, incremental = false): void => {
    const found = isDown ? search.findNext(text, { incremental }) : search.findPrevious(text, { incremental })
    isFound.value = text === '' || found
  }
  return (
    <search class="find-bar">
      <input
        type="search"
        ref={field}
        aria-label="Find in the terminal"
        placeholder="Find"
        spellcheck={false}
        onInput={event => find(event.currentTarget.value, false, true)}
        onKeyDown={event => {
          if (event.key === 'Enter') find(event.currentTarget.value, event.shiftKey)
          else if (event.key === 'Escape') close()
          else return
          event.preventDefault()
          event.stopPropagation()
        }}
      />
      <span role="status" class="bad-text">
        {isFound.value ? '' : 'not found'}
      </span>
    </search>
  )
}
