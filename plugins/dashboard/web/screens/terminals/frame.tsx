import { useSignal } from '@preact/signals'
import type { ComponentChildren } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import { Icon } from '../../parts/icon.tsx'
import { notify, notifyError } from '../../state/notices.ts'
import type { Emulator } from './emulator.ts'
import { FindBar } from './find-bar.tsx'
import { TerminalLink } from './link.ts'
import { isForScreenReader } from './screen-reader.ts'

interface Props {
  /** Its route below `/v1`, with the query but for the size. */
  readonly target: string
  /** The key of its service. */
  readonly service: string
  /** The id of its command; absent: it is the service's own. */
  readonly run?: string
  readonly label: string
  /** What is in the names of its buttons. */
  readonly name: string
  /** How its process is. */
  readonly word: string
  /** Whether the process has exited for good. */
  readonly isOver?: boolean
  /** Whether it takes the focus when it is there. */
  readonly isFocused: boolean
  /** Before the word. */
  readonly title: ComponentChildren
  /** More buttons. */
  readonly children?: ComponentChildren
  close(): void
}

/** A terminal with a header. */
export function Frame({ target, service, run, label, name, word, isOver, isFocused, title, children, close }: Props) {
  const pane = useRef<HTMLElement>(null)
  const host = useRef<HTMLDivElement>(null)
  const emulator = useSignal<Emulator | undefined>(undefined)
  const size = useSignal<readonly [number, number] | undefined>(undefined)
  const hasInput = useSignal(false)
  const isConnected = useSignal(true)
  const isFinding = useSignal(false)
  const focusTerminal = () => emulator.peek()?.terminal.focus()

  useEffect(() => {
    if (host.current === null) return
    const element = host.current
    const over = new AbortController()
    import('./emulator.ts').then(({ openEmulator }) => {
      if (over.signal.aborted) return
      const keys = { leave: () => pane.current?.focus(), find: () => (isFinding.value = true) }
      const it = openEmulator(element, keys, isForScreenReader)
      emulator.value = it
      const { terminal } = it
      const link = new TerminalLink(target, it.proposal() ?? [80, 24], {
        bytes: (bytes, shown) => terminal.write(bytes, shown),
        connected: now => (isConnected.value = now),
        note(news) {
          if ('screen' in news) {
            terminal.reset()
            terminal.resize(news.screen.cols, news.screen.rows)
            hasInput.value = news.screen.input
          } else if ('size' in news) terminal.resize(...news.size)
          else if ('input' in news) hasInput.value = news.input
          else notify({ kind: 'warning', text: `${name}: ${news.notice}`, service })
          size.value = [terminal.cols, terminal.rows]
        },
      })
      const encoder = new TextEncoder()
      terminal.onData(text => link.type(encoder.encode(text)))
      terminal.onBinary(text => link.type(Uint8Array.from(text, letter => letter.charCodeAt(0))))
      const resized = new ResizeObserver(() => link.resize(...(it.proposal() ?? [terminal.cols, terminal.rows])))
      resized.observe(element)
      if (isFocused) terminal.focus()
      over.signal.addEventListener('abort', () => {
        resized.disconnect()
        link.close()
        it.close()
      })
    }, notifyError)
    return () => over.abort()
  }, [target])

  return (
    <section
      class="pane"
      ref={pane}
      aria-label={label}
      data-service={service}
      data-run={run}
      data-row
      tabIndex={-1}
      onKeyDown={event => {
        if (event.key !== 'Enter' || event.target !== event.currentTarget) return
        event.preventDefault()
        focusTerminal()
      }}
    >
      <header>
        {title}
        <span class="dim word">{isConnected.value ? word : 'reconnecting'}</span>
        {!hasInput.value && isConnected.value && isOver !== true && <span class="dim">read-only</span>}
        <span class="dim num size">{size.value?.join('×')}</span>
        <span class="leave">
          <kbd>Ctrl ]</kbd> leaves
        </span>
        {children}
        <button
          type="button"
          aria-label={`Find in the terminal of ${name}`}
          title="Find"
          aria-expanded={isFinding.value}
          onClick={() => (isFinding.value = !isFinding.value)}
        >
          <Icon name="find" />
        </button>
        <button type="button" aria-label={`Close the terminal of ${name}`} title="Close" onClick={close}>
          <Icon name="close" />
        </button>
      </header>
      {isFinding.value && emulator.value !== undefined && (
        <FindBar
          search={emulator.value.search}
          close={() => {
            isFinding.value = false
            focusTerminal()
          }}
        />
      )}
      <div class="host" ref={host} />
    </section>
  )
}
