import { effect, signal } from '@preact/signals'

const name = 'screen-reader'

/** Whether terminals are also there as text for screen readers: remembered by the browser. */
export const isForScreenReader = signal(localStorage.getItem(name) === 'on')

effect(() => localStorage.setItem(name, isForScreenReader.value ? 'on' : 'off'))
