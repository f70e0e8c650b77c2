import { signal } from '@preact/signals'

const themes = ['auto', 'light', 'dark'] as const
export type Theme = (typeof themes)[number]

/** The chosen theme; `auto` follows the system. early.ts sets it before the first paint. */
export const theme = signal<Theme>(themes.find(name => name === document.documentElement.dataset['theme']) ?? 'auto')

/** Takes the next theme: auto, light, dark. */
export function nextTheme(): void {
  const next = themes[(themes.indexOf(theme.value) + 1) % themes.length] ?? 'auto'
  theme.value = next
  if (next === 'auto') delete document.documentElement.dataset['theme']
  else document.documentElement.dataset['theme'] = next
  localStorage.setItem('theme', next)
}
