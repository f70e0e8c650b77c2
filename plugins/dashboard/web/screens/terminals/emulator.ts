/** What is loaded with the first terminal: xterm and its addons. */
import './xterm-style.ts'
import '@xterm/xterm/css/xterm.css'
import type { ReadonlySignal } from '@preact/signals'
import { FitAddon } from '@xterm/addon-fit'
import { SearchAddon } from '@xterm/addon-search'
import { WebLinksAddon } from '@xterm/addon-web-links'
import { Terminal } from '@xterm/xterm'
import stringWidth from 'string-width'
import { characterWidths } from '../../../../../kernel/terminals/character-widths.ts'
import { copy } from '../../actions/copy.ts'
import { onPalette, presentPalette } from './palette.ts'

/** Lines above the screen. */
const scrollback = 5000
/** WCAG 2.2, 1.4.3: also of colours that a program chooses itself. */
const contrast = 4.5
const isMac = /Mac|iPhone|iPad/.test(navigator.platform)

/** Keys that leave the terminal, or do something with it, instead of being typed. */
export interface EmulatorKeys {
  leave(): void
  find(): void
}

/** A terminal in the page. */
export interface Emulator {
  readonly terminal: Terminal
  readonly search: SearchAddon
  /** Returns the cells that fit into its element; undefined while it is not shown. */
  proposal(): readonly [cols: number, rows: number] | undefined
  close(): void
}

/** Opens a terminal in an element. `screenReader`: whether its lines are also there as text for screen readers. */
export function openEmulator(
  element: HTMLElement,
  keys: EmulatorKeys,
  screenReader: ReadonlySignal<boolean>,
): Emulator {
  const style = getComputedStyle(document.documentElement)
  const terminal = new Terminal({
    scrollback,
    // For the widths of characters.
    allowProposedApi: true,
    minimumContrastRatio: contrast,
    fontFamily: style.getPropertyValue('--mono'),
    fontSize: 12,
    lineHeight: 1.2,
    theme: presentPalette(),
    macOptionIsMeta: true,
    screenReaderMode: screenReader.peek(),
    linkHandler: { activate: (_, uri) => openLink(uri) },
  })
  const [fit, search] = [new FitAddon(), new SearchAddon()]
  for (const addon of [fit, search, new WebLinksAddon((_, uri) => openLink(uri))]) terminal.loadAddon(addon)
  // Those of the daemon's emulator, from which the screen comes.
  const widths = characterWidths(stringWidth)
  terminal.unicode.register(widths)
  terminal.unicode.activeVersion = widths.version
  leaveQueries(terminal)
  terminal.attachCustomKeyEventHandler(event => !isOwnKey(event, terminal, keys))
  terminal.open(element)
  const offs = [
    onPalette(() => {
      terminal.options.theme = presentPalette()
    }),
    screenReader.subscribe(isOn => {
      terminal.options.screenReaderMode = isOn
    }),
  ]
  return {
    ...{ terminal, search },
    proposal() {
      const { cols, rows } = fit.proposeDimensions() ?? { cols: Number.NaN, rows: Number.NaN }
      return cols >= 2 && rows >= 1 ? [Math.min(cols, 1000), Math.min(rows, 1000)] : undefined
    },
    close() {
      for (const off of offs) off()
      terminal.dispose()
    },
  }
}

/** Leaves the queries of programs to the daemon, which answers them once for all clients. */
function leaveQueries({ parser }: Terminal): void {
  const ids = [
    ...[{ final: 'c' }, { prefix: '>', final: 'c' }, { prefix: '=', final: 'c' }],
    ...[{ final: 'n' }, { prefix: '?', final: 'n' }, { prefix: '>', final: 'q' }],
    ...[
      { intermediates: '$', final: 'p' },
      { prefix: '?', intermediates: '$', final: 'p' },
    ],
  ]
  for (const id of ids) parser.registerCsiHandler(id, () => true)
  parser.registerDcsHandler({ intermediates: '$', final: 'q' }, () => true)
  for (const code of [4, 10, 11, 12]) parser.registerOscHandler(code, data => data.includes('?'))
}

/** Handles a key of the page's; returns whether it was one. */
function isOwnKey(event: KeyboardEvent, terminal: Terminal, keys: EmulatorKeys): boolean {
  const { ctrlKey, shiftKey, altKey, metaKey, code, key, type } = event
  const isCommand = isMac ? metaKey && !ctrlKey : ctrlKey && shiftKey
  const name = key.toLowerCase()
  // The browser pastes.
  if (!isMac && ctrlKey && !altKey && name === 'v') return true
  const run =
    ctrlKey && !shiftKey && !altKey && (key === ']' || code === 'BracketRight')
      ? keys.leave
      : isCommand && name === 'f'
        ? keys.find
        : name === 'c' && terminal.hasSelection() && (isCommand || (!isMac && ctrlKey && !altKey))
          ? () => copySelection(terminal)
          : undefined
  if (run === undefined) return false
  event.preventDefault()
  if (type === 'keydown') run()
  return true
}

function copySelection(terminal: Terminal): void {
  void copy(terminal.getSelection(), 'the selection')
  terminal.clearSelection()
}

function openLink(uri: string): void {
  if (/^https?:/.test(uri)) open(uri, '_blank', 'noopener')
}
