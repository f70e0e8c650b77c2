import { effect } from '@preact/signals'
import { tinykeys } from 'tinykeys'
import { presentContext } from '../actions/context.ts'
import { type Action, actions, isShown } from '../actions/registry.ts'
import { notifyError } from '../state/notices.ts'
import { go, hrefOf, place, setQuery } from '../state/place.ts'
import { isKeysOpen, isListOpen, isPaletteOpen } from './open.ts'
import { moveRow, openRow } from './rows.ts'

const isMac = /Mac|iPhone|iPad/.test(navigator.platform)

/** Follows the keyboard: keys of the registry, and the fixed ones. */
export function startKeys(): void {
  addEventListener('keydown', followPrefix, { capture: true })
  effect(() => {
    const own = Object.groupBy(actions.value, ({ key }) => key ?? '')
    const bound = Object.entries(own).flatMap(([key, all]) =>
      key === '' || all === undefined
        ? []
        : [[key, single(() => runFirst(all), { isPartial: !key.includes(' ') })] as const],
    )
    return tinykeys(window, { ...fixed, ...Object.fromEntries(bound) })
  })
}

/** Returns a key as it is printed on the keyboard, one text for each press. */
export function keyText(key: string): readonly string[] {
  const names: Readonly<Record<string, string>> = { Escape: 'Esc', Enter: '↵', $mod: isMac ? '⌘' : 'Ctrl' }
  return key.split(' ').map(press => {
    const parts = press.split('+').map(part => names[part] ?? part)
    return parts.map(part => (parts.length > 1 && part.length === 1 ? part.toUpperCase() : part)).join(isMac ? '' : ' ')
  })
}

const fixed: Readonly<Record<string, (event: KeyboardEvent) => void>> = {
  '$mod+k': event => {
    event.preventDefault()
    isPaletteOpen.value = !isPaletteOpen.value
  },
  '?': single(() => (isKeysOpen.value = true)),
  'Shift+?': single(() => (isKeysOpen.value = true)),
  '/': single(search),
  j: single(() => moveRow(1)),
  k: single(() => moveRow(-1)),
  Enter: single(openRow, { isPrevented: false }),
  Escape: leave,
}

/** The first key of sequences. */
const prefix = 'g'
/** How long the second key of a sequence may take, ms: as in tinykeys. */
const sequenceMs = 1000

const never = Number.NEGATIVE_INFINITY
let lastPrefixAt = never
let isAfterPrefix = false

/** Notes whether a key is the second one of a sequence: it then does not do what it does alone. */
function followPrefix({ key }: KeyboardEvent): void {
  const now = performance.now()
  isAfterPrefix = now - lastPrefixAt < sequenceMs
  lastPrefixAt = key === prefix && !isAfterPrefix ? now : never
}

interface KeyOptions {
  /** The browser does nothing else with the key. */
  readonly isPrevented?: boolean
  /** The key may also be the second one of a sequence. */
  readonly isPartial?: boolean
}

/** Returns a handler of a key without a modifier, which does nothing where text is typed. */
function single(
  run: () => void,
  { isPrevented = true, isPartial = false }: KeyOptions = {},
): (event: KeyboardEvent) => void {
  return event => {
    if (event.defaultPrevented || isTyping(event.target) || (isPartial && isAfterPrefix)) return
    if (isPrevented) event.preventDefault()
    run()
  }
}

function isTyping(target: EventTarget | null): boolean {
  if (document.querySelector('dialog[open]') !== null) return true
  return target instanceof Element && target.closest('input, textarea, select, [contenteditable], .xterm') !== null
}

/** Runs the last registered action that can be done: a screen's own goes before the common ones. */
function runFirst(all: readonly Action[]): void {
  const context = presentContext()
  const action = all.findLast(it => isShown(it, context))
  void Promise.resolve(action?.run(context)).catch(notifyError)
}

/** Focuses the search field of the screen, so that typing replaces its text, else opens the palette. */
function search(): void {
  const field = document.querySelector<HTMLInputElement>('main input[type=search], main [data-search]')
  if (field === null) isPaletteOpen.value = true
  else field.select()
}

/** Leaves a field, closes what is open, else goes back to the overview. */
function leave(event: KeyboardEvent): void {
  if (event.defaultPrevented || document.querySelector('dialog[open]') !== null) return
  const { target } = event
  const { screen, query } = place.value
  if (target instanceof HTMLElement && target.closest('.xterm') !== null) return
  if (target instanceof HTMLElement && isTyping(target)) {
    // Else the browser clears a search field.
    event.preventDefault()
    target.blur()
  } else if (isListOpen.value) isListOpen.value = false
  else if (query.has('with')) setQuery({ with: undefined })
  else if (screen === 'requests' && query.has('id')) setQuery({ id: undefined })
  else if (screen === 'service') go(hrefOf('overview'))
}
