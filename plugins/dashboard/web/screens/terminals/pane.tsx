import { useSignal } from '@preact/signals'
import { useEffect, useRef } from 'preact/hooks'
import { contextOf } from '../../actions/context.ts'
import { Act } from '../../parts/act.tsx'
import { Icon } from '../../parts/icon.tsx'
import { Mark } from '../../parts/mark.tsx'
import { notify, notifyError } from '../../state/notices.ts'
import { hrefOf } from '../../state/place.ts'
import { serviceOf } from '../../state/services.ts'
import { shortName, stateOf } from '../../state/words.ts'
import type { Emulator } from './emulator.ts'
import { FindBar } from './find-bar.tsx'
import { TerminalLink } from './link.ts'

interface Props {
  readonly service: string
  /** Whether it takes the focus when it is there. */
  readonly isFocused: boolean
  close(): void
}

/** The terminal of a service, with a header. */
export function Pane({ service, isFocused, close }: Props) {
  const pane = useRef<HTMLElement>(null)
  const host = useRef<HTMLDivElement>(null)
  const emulator = useSignal<Emulator | undefined>(undefined)
  const size = useSignal<readonly [number, number] | undefined>(undefined)
  const hasInput = useSignal(false)
  const isConnected = useSignal(true)
  const isFinding = useSignal(false)
  const view = serviceOf(service).value
  const { path, name } = view ?? {}
  const focusTerminal = () => emulator.peek()?.terminal.focus()

  useEffect(() => {
    if (path === undefined || name === undefined || host.current === null) return
    const element = host.current
    const over = new AbortController()
    import('./emulator.ts').then(({ openEmulator }) => {
      if (over.signal.aborted) return
      const it = openEmulator(element, {
        leave: () => pane.current?.focus(),
        find: () => (isFinding.value = true),
      })
      emulator.value = it
      const { terminal } = it
      const link = new TerminalLink({ path, service: name }, it.proposal() ?? [80, 24], {
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
  }, [path, name])

  if (view === undefined) return null
  const state = stateOf(view)
  const context = contextOf(service)
  return (
    <section
      class="pane"
      ref={pane}
      aria-label={`Terminal of ${service}`}
      data-service={service}
      data-row
      tabIndex={-1}
      onKeyDown={event => {
        if (event.key !== 'Enter' || event.target !== event.currentTarget) return
        event.preventDefault()
        focusTerminal()
      }}
    >
      <header>
        <Mark shape={state.shape} />
        <a href={hrefOf('service', { service })}>{shortName(service)}</a>
        <span class="dim word">{isConnected.value ? state.word : 'reconnecting'}</span>
        {!hasInput.value && isConnected.value && <span class="dim">read-only</span>}
        <span class="dim num size">{size.value?.join('×')}</span>
        <span class="leave">
          <kbd>Ctrl ]</kbd> leaves
        </span>
        <Act id="service.start" icon="start" context={context} />
        <Act id="service.restart" icon="restart" context={context} />
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
