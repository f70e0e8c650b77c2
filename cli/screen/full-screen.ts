import { type Key, KeyReader } from './keys.ts'
import { Terminal } from './terminal.ts'

const esc = '\x1b['
/** The alternate screen, no automatic line breaks, and pasted text apart from keys. */
const enterScreen = `${esc}?1049h${esc}?7l${esc}?2004h${esc}?25l`
/** The reverse; first the end of a synchronised update that may have been interrupted. */
const leaveScreen = `${esc}?2026l${esc}m${esc}?2004l${esc}?7h${esc}?25h${esc}?1049l`

/** What is called with what happens at the terminal. */
export interface FullScreenEvents {
  pressed(key: Key): void
  /** The screen has to be drawn again, as its size or its content has changed. */
  redraw(): void
}

/** Returns the terminal with its alternate screen and keys by their names. */
export function fullScreen({ pressed, redraw }: FullScreenEvents): Terminal {
  const keys = new KeyReader(pressed)
  return new Terminal({
    enter: () => enterScreen,
    leave() {
      keys.close()
      return leaveScreen
    },
    read: bytes => keys.push(bytes),
    redraw,
  })
}
