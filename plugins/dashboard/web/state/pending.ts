/** What the user has asked for and the daemon has not reported yet: shown at once, settled by an event or the answer. */
import { signal } from '@preact/signals'
import { onEvent } from './services.ts'

/** By the key of a service: a word such as `restarting`. */
export const pending = signal<ReadonlyMap<string, string>>(new Map())

/** Shows a word in place of the states of services; the result takes it back. */
export function setPending(keys: readonly string[], word: string): () => void {
  pending.value = new Map([...pending.value, ...keys.map(key => [key, word] as const)])
  const settle = (key: string) => {
    if (pending.value.get(key) !== word) return
    const next = new Map(pending.value)
    next.delete(key)
    pending.value = next
  }
  const off = onEvent(event => {
    if (event.event === 'service' && keys.includes(event.service.key)) settle(event.service.key)
  })
  return () => {
    off()
    for (const key of keys) settle(key)
  }
}
