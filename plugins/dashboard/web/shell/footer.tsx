import { computed } from '@preact/signals'
import { Mark } from '../parts/mark.tsx'
import { isTrusted } from '../state/doctor.ts'
import { services } from '../state/services.ts'
import { daemonUsage } from '../state/usage.ts'
import { bytesOf, type Shape, stateOf } from '../state/words.ts'
import { isKeysOpen } from './open.ts'

const counts = computed(() => {
  const found = new Map<Shape, number>()
  for (const view of services.value) {
    const { shape } = stateOf(view)
    found.set(shape, (found.get(shape) ?? 0) + 1)
  }
  return found
})

const words: readonly (readonly [Shape, string])[] = [
  ['ok', 'ready'],
  ['bad', 'failed'],
  ['wait', 'waiting'],
  ['done', 'exited'],
  ['off', 'stopped'],
]

/** The bottom bar: how many services are in which state, and the daemon. */
export function Footer() {
  const usage = daemonUsage.value
  const trusted = isTrusted.value
  return (
    <footer>
      {words.map(([shape, word]) => {
        const count = counts.value.get(shape) ?? 0
        if (count === 0 && shape !== 'ok') return null
        return (
          <span key={shape} class={shape === 'bad' ? 'state bad-text' : 'state'}>
            <Mark shape={shape} /> <span class="num">{count}</span> {word}
          </span>
        )
      })}
      <span class="right">
        {trusted !== undefined && (
          <span title={trusted ? undefined : 'Run `locald trust`.'}>
            https://*.localhost {trusted ? 'trusted' : 'not trusted'}
          </span>
        )}
        {usage !== undefined && (
          <span class="num">
            daemon {usage.memory === null ? '–' : bytesOf(usage.memory)} · {(usage.cpu ?? 0).toFixed(1)} % CPU
          </span>
        )}
        <button type="button" onClick={() => (isKeysOpen.value = true)}>
          <kbd>?</kbd> keys
        </button>
      </span>
    </footer>
  )
}
