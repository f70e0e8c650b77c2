import type { Model } from './model.ts'

const esc = '\x1b'
/** DECNKM, which more terminals know by its older names (DECKPAM, DECKPNM). */
const keypadMode = 66

/** The modes of the user's terminal that decide what it sends, as the program has set them. */
export class TerminalModes {
  #on: readonly number[] = []
  #shape = 0

  /** Returns what gives the terminal the modes of the model. */
  follow({ modes, cursorShape }: Pick<Model, 'modes' | 'cursorShape'>): string {
    const off = this.#on.filter(mode => !modes.includes(mode)).map(mode => sequenceOf(mode, false))
    const on = modes.filter(mode => !this.#on.includes(mode)).map(mode => sequenceOf(mode, true))
    const shape = cursorShape === this.#shape ? '' : `${esc}[${cursorShape} q`
    this.#on = modes
    this.#shape = cursorShape
    return [...off, ...on, shape].join('')
  }

  /** Returns what gives it its ordinary modes. */
  reset(): string {
    return this.follow({ modes: [], cursorShape: 0 })
  }
}

function sequenceOf(mode: number, isOn: boolean): string {
  if (mode === keypadMode) return isOn ? `${esc}=` : `${esc}>`
  return `${esc}[?${mode}${isOn ? 'h' : 'l'}`
}
