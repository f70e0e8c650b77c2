/** Texts are cut to this before secrets are masked, UTF-16 units: far more than is shown, so no secret is cut in half. */
const clipped = 8000

/** Returns the bytes of a value as JSON. */
export function sizeOf(value: unknown): number {
  return Buffer.byteLength(JSON.stringify(value) ?? '')
}

/** Returns a JSON value in which no text is much longer than what is shown of it. */
export function clipTexts<T>(value: T): T {
  return mapTexts(value, text => (text.length > clipped ? text.slice(0, clipped) : text))
}

/** Returns a JSON value in which no text has more than so many bytes as JSON. */
export function cutTexts<T>(value: T, bytes: number): T {
  return mapTexts(value, text => cutText(text, bytes))
}

/** Cuts a text between two characters, with `…` in place of the rest. */
export function cutText(text: string, bytes: number): string {
  if (sizeOf(text) <= bytes) return text
  let room = bytes - 5
  let end = 0
  for (const character of text) {
    room -= sizeOf(character) - 2
    if (room < 0) break
    end += character.length
  }
  return `${text.slice(0, end)}…`
}

function mapTexts<T>(value: T, change: (text: string) => string): T
function mapTexts(value: unknown, change: (text: string) => string): unknown {
  if (typeof value === 'string') return change(value)
  if (Array.isArray(value)) return value.map(each => mapTexts(each, change))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, mapTexts(each, change)]))
}
