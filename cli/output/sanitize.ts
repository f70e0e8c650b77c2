/*
 * Files, folders, services and plugins supply some of the printed text: no control sequence in it reaches the terminal.
 */

/**
 * ECMA-48: CSI sequences, strings (OSC, DCS, SOS, PM, APC) to their end, other escapes; then control characters (C0 and
 * C1) but tab.
 */
export const controlSequences =
  /\x1b\[[0-?]*[ -/]*[@-~]|\x1b[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\)?|\x1b[ -/]*[0-~]|\x9b[0-?]*[ -/]*[@-~]|[\x00-\x08\x0a-\x1f\x7f-\x9f]/g

/**
 * Select Graphic Rendition; then control characters but tab and newline, and those that turn the direction of writing.
 */
const unsafe = /\x1b\[[\d;:]*m|[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g
/** What `painter` writes. */
const painted = /^\x1b\[(?:1|22|3[1-6]|39|90)m$/
/** The characters that JSON does not escape and a terminal may obey. */
const unsafeInJson = /[\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g

/**
 * Writes control characters as escapes such as `\u001b`; removes colours, but with `keepsColour` not those that the CLI
 * itself writes.
 */
export function sanitize(text: string, keepsColour: boolean): string {
  return text.replaceAll('\r\n', '\n').replace(unsafe, found => {
    if (found.length === 1) return escapeCharacter(found)
    return keepsColour && painted.test(found) ? found : ''
  })
}

/** Does the same for a place of one line, such as a cell of a table. */
export function sanitizeLine(text: string): string {
  return sanitize(text, false).replaceAll('\n', ' ')
}

/** Returns a value as JSON without characters that control a terminal. */
export function toSafeJson(value: unknown): string {
  return JSON.stringify(value).replace(unsafeInJson, escapeCharacter)
}

function escapeCharacter(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
}
