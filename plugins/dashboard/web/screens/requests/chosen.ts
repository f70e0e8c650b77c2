/** The request in the detail pane. */
import { effect, signal } from '@preact/signals'
import type { ExchangeDetail } from '../../../../proxy/provides.ts'
import { ApiError, get } from '../../api.ts'
import { place, setQuery } from '../../state/place.ts'
import { rowOf } from './rows.ts'

/** Secrets are shown for this long, ms. */
const revealMs = 10_000

/** What is shown of it. */
export const chosen = signal<ExchangeDetail | undefined>(undefined)
/** Why it cannot be shown. */
export const fault = signal<string | undefined>(undefined)
/** Whether its secrets are shown. */
export const isRevealed = signal(false)

/** The request that is edited. */
export const editing = signal<ExchangeDetail | undefined>(undefined)

let timer: ReturnType<typeof setTimeout> | undefined

/** Shows a request; undefined: closes the pane. */
export function choose(id: string | undefined): void {
  setQuery({ id, with: undefined }, { step: id !== undefined && place.value.query.get('id') === null })
}

/** Shows its secrets for some seconds. */
export function reveal(): void {
  clearTimeout(timer)
  isRevealed.value = !isRevealed.value
  if (isRevealed.value) timer = setTimeout(() => (isRevealed.value = false), revealMs)
}

/** Loads what the URL names, and again when it changes, until the result is called. */
export function followChosen(): () => void {
  let loaded: AbortController | undefined
  let last: string | undefined
  const off = effect(() => {
    const id = place.value.query.get('id') ?? undefined
    const row = id === undefined ? undefined : rowOf(id)
    if (id !== last) {
      isRevealed.value = false
      chosen.value = undefined
      fault.value = undefined
    }
    last = id
    // The row changes with each part of the response that arrives.
    void row?.responseBytes
    const isShown = isRevealed.value
    loaded?.abort()
    loaded = new AbortController()
    if (id !== undefined) void load(id, isShown, loaded.signal)
  })
  return () => {
    off()
    loaded?.abort()
    clearTimeout(timer)
    isRevealed.value = false
  }
}

async function load(id: string, isShown: boolean, signal: AbortSignal): Promise<void> {
  try {
    chosen.value = await get<ExchangeDetail>(`/requests/${id}`, isShown ? { reveal: true } : {}, signal)
    fault.value = undefined
  } catch (error) {
    if (signal.aborted) return
    // A pinned one may be shown on after the daemon has forgotten it.
    if (chosen.value?.id !== id)
      fault.value = error instanceof ApiError ? `${error.message}. ${error.hint ?? ''}` : String(error)
  }
}
