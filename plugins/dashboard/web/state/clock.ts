import { effect, signal } from '@preact/signals'
import { services } from './services.ts'

/** The time in ms, as exact as what is shown: to the second while a service is younger than a minute. */
export const now = signal(Date.now())

const minute = 60_000

/** Begins to update the clock; a page that is not visible does nothing. */
export function startClock(): void {
  let timer: ReturnType<typeof setTimeout> | undefined
  const tick = (): void => {
    clearTimeout(timer)
    if (document.hidden) return
    now.value = Date.now()
    const isYoung = services
      .peek()
      .some(({ startedAt }) => startedAt !== null && now.value - Date.parse(startedAt) < minute)
    timer = setTimeout(tick, isYoung ? 1000 : minute / 3)
  }
  document.addEventListener('visibilitychange', tick)
  effect(() => {
    void services.value
    tick()
  })
}
