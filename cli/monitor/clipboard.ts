import { shortName } from '../output/service-state.ts'
import type { Entry } from './model/log-buffer.ts'

/** Terminals refuse longer ones: xterm.js 10 MB, tmux 1 MB, others 100,000 bytes of Base64. Bytes of text. */
const most = 70_000

/** Whether a text is put on the clipboard whole. */
export function fitsClipboard(text: string): boolean {
  return Buffer.byteLength(text) <= most
}

/** Returns the sequence by which a terminal puts text on the clipboard, also of a machine far away (OSC 52). */
export function copySequence(text: string): string {
  const bytes = Buffer.from(text)
  const kept = bytes.length <= most ? bytes : bytes.subarray(bytes.length - most)
  return `\x1b]52;c;${kept.toString('base64')}\x07`
}

/** Formats lines as `locald logs` prints them, names only where there are several services. */
export function formatLines(entries: readonly Entry[]): string {
  const isOne = new Set(entries.map(({ service }) => service)).size < 2
  return entries.map(({ service, plain }) => `${isOne ? '' : `${shortName(service)} | `}${plain}\n`).join('')
}
