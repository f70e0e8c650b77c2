import { signal } from '@preact/signals'

/** Whether the palette is open. */
export const isPaletteOpen = signal(false)
/** Whether the list of keys is open. */
export const isKeysOpen = signal(false)
/** Whether the list of notifications is open. */
export const isListOpen = signal(false)
