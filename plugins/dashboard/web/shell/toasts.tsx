import { useSignal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import { Icon } from '../parts/icon.tsx'
import { Prose } from '../parts/prose.tsx'
import { type Notice, notices, unseen } from '../state/notices.ts'
import { clockOf } from '../state/words.ts'
import { isListOpen } from './open.ts'

/** How long a notice is shown, ms; a failure stays until it is dismissed. */
const shownMs = { done: 3000, warning: 8000 } as const
/** How many are shown at a time. */
const limit = 3

/** The newest notices, over the page. */
export function Toasts() {
  const closed = useSignal<ReadonlySet<number>>(new Set())
  const close = (id: number) => {
    closed.value = new Set([...closed.value, id])
  }
  const shown = notices.value.filter(({ id }) => !closed.value.has(id)).slice(0, limit)
  return (
    <div class="toasts" role="status" aria-live="polite">
      {!isListOpen.value &&
        shown.map(notice => <Toast key={notice.id} notice={notice} close={() => close(notice.id)} />)}
    </div>
  )
}

function Toast({ notice, close }: { readonly notice: Notice; close(): void }) {
  const { kind } = notice
  useEffect(() => {
    if (kind === 'failed') return
    const timer = setTimeout(close, shownMs[kind])
    return () => clearTimeout(timer)
  }, [])
  return (
    <div class={`toast ${kind}`}>
      <NoticeText notice={notice} />
      <button type="button" aria-label="Dismiss" onClick={close}>
        <Icon name="close" />
      </button>
    </div>
  )
}

/** The list of the last notices, opened from the header. */
export function NoticeList() {
  useEffect(() => {
    if (isListOpen.value) unseen.value = 0
  }, [isListOpen.value])
  if (!isListOpen.value) return null
  return (
    <aside class="notices" aria-label="Notifications">
      <h2>
        Notifications
        <button type="button" aria-label="Close the notifications" onClick={() => (isListOpen.value = false)}>
          <Icon name="close" />
        </button>
      </h2>
      <ul>
        {notices.value.map(notice => (
          <li key={notice.id} class={notice.kind}>
            <time class="dim num">{clockOf(notice.time)}</time>
            <NoticeText notice={notice} />
          </li>
        ))}
      </ul>
    </aside>
  )
}

function NoticeText({ notice: { text, code, hint } }: { readonly notice: Notice }) {
  return (
    <div class="notice">
      <p>
        <Prose text={text} />
      </p>
      {hint !== undefined && (
        <p class="dim">
          <Prose text={hint} />
        </p>
      )}
      {code !== undefined && <p class="mono dim">{code}</p>}
    </div>
  )
}
