import { lastWritten } from './last-written.ts'

/**
 * Terminal escape sequences (ECMA-48 CSI and OSC, and two-byte escapes). Node.js 20's `stripVTControlCharacters` leaves
 * parts of OSC titles and of colours with colons.
 */
const sequences = /\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_])/g
/** Those that are not colours, and control characters but tab and escape. */
const notColours =
  /\x1b(?:\[[0-?]*[ -/]*[@-ln-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_])|[\x00-\x08\x0b-\x1a\x1c-\x1f\x7f]/g
const controls = /[\x00-\x08\x0a-\x1f\x7f]/

/** Returns a text without terminal escape sequences. */
export function stripAnsi(text: string): string {
  return text.includes('\x1b') ? text.replaceAll(sequences, '') : text
}

/** Returns a line with its colours, without other control sequences; of what was overwritten the last remains. */
export function colouredOf(text: string): string {
  return controls.test(text) ? lastWritten(text).replace(notColours, '') : text
}

/** Returns what a reader sees of a line. */
export function plainOf(text: string): string {
  return controls.test(text) ? stripAnsi(colouredOf(text)).replaceAll('\x1b', '') : text
}
