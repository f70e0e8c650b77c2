import type { ITheme } from '@xterm/xterm'

/** The colours 0 to 15; each has a contrast of at least 4.5:1 on the background of its theme, but black on dark. */
const light = [
  ...['#1b1b19', '#bf2f27', '#17794a', '#8a5d00', '#2f55d4', '#8a4fb3', '#16707c', '#6a6a64'],
  ...['#53534e', '#c2382f', '#18774a', '#8a5d00', '#3a5fd9', '#9456bd', '#17737f', '#53534e'],
]
const dark = [
  ...['#7d7d77', '#ff7a70', '#4fc78e', '#e5ab45', '#8fabff', '#c795ea', '#6cc7d3', '#d6d6d2'],
  ...['#94948d', '#ff958d', '#72d6a6', '#f0c170', '#aabfff', '#d6b0f0', '#8fd6df', '#ffffff'],
]

const names = ['black', 'red', 'green', 'yellow', 'blue', 'magenta', 'cyan', 'white'] as const

/** Returns the colours of a terminal, of the tokens that the page has now. */
export function presentPalette(): ITheme {
  const style = getComputedStyle(document.documentElement)
  const token = (name: string) => style.getPropertyValue(name).trim()
  const isDark = isDarkNow()
  const colours = isDark ? dark : light
  const bright = names.map((name, at) => [`bright${name.slice(0, 1).toUpperCase()}${name.slice(1)}`, colours[at + 8]])
  return {
    background: token('--surface'),
    foreground: token('--ink'),
    cursor: token('--accent'),
    cursorAccent: token('--surface'),
    selectionBackground: isDark ? '#3b4a78' : '#c9d6fb',
    ...Object.fromEntries([...names.map((name, at) => [name, colours[at]]), ...bright]),
  }
}

/** Calls a listener when the palette changes; the result removes it. */
export function onPalette(listener: () => void): () => void {
  const preferred = matchMedia('(prefers-color-scheme: dark)')
  const chosen = new MutationObserver(listener)
  preferred.addEventListener('change', listener)
  chosen.observe(document.documentElement, { attributeFilter: ['data-theme'] })
  return () => {
    preferred.removeEventListener('change', listener)
    chosen.disconnect()
  }
}

function isDarkNow(): boolean {
  const chosen = document.documentElement.dataset['theme']
  return chosen === undefined ? matchMedia('(prefers-color-scheme: dark)').matches : chosen === 'dark'
}
