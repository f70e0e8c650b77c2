import { StringDecoder } from 'node:string_decoder'

/** A pressed key by its name (`up`, `pageDown`, `ctrl-c`, `j`), or text that was pasted. */
export type Key = { readonly name: string } | { readonly pasted: string }

/** The rest of an escape sequence follows within this time; otherwise the Escape key was pressed, ms. */
const escapeMs = 30

/** By the end of a sequence: `CSI A`, `SS3 A`, `CSI 5 ~`. */
const sequences: Readonly<Record<string, string>> = {
  A: 'up',
  B: 'down',
  C: 'right',
  D: 'left',
  H: 'home',
  F: 'end',
  Z: 'shift-tab',
  '1~': 'home',
  '3~': 'delete',
  '4~': 'end',
  '5~': 'pageUp',
  '6~': 'pageDown',
  '7~': 'home',
  '8~': 'end',
}

const controls: Readonly<Record<string, string>> = {
  '\r': 'enter',
  '\n': 'enter',
  '\t': 'tab',
  '\x7f': 'backspace',
  '\b': 'backspace',
}

const sequence = /^\x1b(?:\[([0-?]*)[ -/]*([@-~])|O([0-?]*)([@-~]))/
const unfinished = /^\x1b(?:\[[0-?]*[ -/]*|O[0-?]*)?$/
const pasteStart = '\x1b[200~'
const pasteEnd = '\x1b[201~'

/** Splits what a terminal sends into keys. */
export class KeyReader {
  readonly #decoder = new StringDecoder('utf8')
  readonly #press: (key: Key) => void
  #rest = ''
  #timer: NodeJS.Timeout | undefined

  constructor(press: (key: Key) => void) {
    this.#press = press
  }

  push(bytes: Buffer): void {
    clearTimeout(this.#timer)
    this.#rest += this.#decoder.write(bytes)
    while (this.#rest !== '') {
      const used = this.#readOne(this.#rest)
      if (used === 0) break
      this.#rest = this.#rest.slice(used)
    }
    if (this.#rest.startsWith('\x1b') && !this.#rest.startsWith(pasteStart))
      this.#timer = setTimeout(() => this.#endEscape(), escapeMs)
  }

  close(): void {
    clearTimeout(this.#timer)
  }

  /** Reads the first key; returns how many UTF-16 units it takes, 0 where more must follow. */
  #readOne(text: string): number {
    if (text.startsWith(pasteStart)) return this.#readPaste(text)
    if (!text.startsWith('\x1b')) {
      const character = String.fromCodePoint(text.codePointAt(0) ?? 0)
      this.#press({ name: nameOf(character) })
      return character.length
    }
    if (unfinished.test(text)) return 0
    const found = sequence.exec(text)
    if (found === null) {
      // Alt and a key.
      this.#press({ name: 'escape' })
      return 1
    }
    const [all, parameters = '', end = '', , own] = found
    // Of a keypad; after CSI it is a movement of the mouse.
    const key = own === 'M' ? 'enter' : sequences[own ?? (end === '~' ? `${parameters.split(';')[0]}~` : end)]
    if (key !== undefined) this.#press({ name: key })
    return all.length
  }

  #readPaste(text: string): number {
    const end = text.indexOf(pasteEnd)
    if (end < 0) return 0
    this.#press({ pasted: text.slice(pasteStart.length, end) })
    return end + pasteEnd.length
  }

  #endEscape(): void {
    const rest = this.#rest.slice(1)
    this.#rest = ''
    this.#press({ name: 'escape' })
    for (const character of rest) this.#press({ name: nameOf(character) })
  }
}

function nameOf(character: string): string {
  const known = controls[character]
  if (known !== undefined) return known
  const code = character.charCodeAt(0)
  return code < 32 ? `ctrl-${String.fromCharCode(code + 96)}` : character
}
