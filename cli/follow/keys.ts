import { type Key, KeyReader } from '../screen/keys.ts'

/** The exit code of a process that SIGINT killed, as shells count. */
export const interruptedCode = 130

/** The keys pressed while logs are followed. */
export interface Keys {
  /** Whether single keys are read: stdin is a terminal. */
  readonly isKeyboard: boolean
  /** The first of Ctrl-C and `d`. A second Ctrl-C exits the process. */
  readonly pressed: Promise<'stop' | 'detach'>
  /** Does the same as Ctrl-C. */
  stop(): void
  /** Lends the terminal to another reader, until `resume`. */
  pause(): void
  resume(): void
  /** Restores the terminal. */
  close(): void
}

/** The exit code of a process that SIGHUP killed, as shells count. */
const hungUpCode = 129

/** What keys do. */
export interface KeyOptions {
  /** Whether `d` is for detaching. */
  readonly canDetach: boolean
  /** Gets the names of all keys but Ctrl-C; returns whether it has used them. */
  onKey(name: string): boolean
}

/** Listens for keys and for the signals that mean the same; the terminal is raw until `close`. */
export function listenForKeys({ canDetach, onKey }: KeyOptions): Keys {
  const { stdin } = process
  const isKeyboard = stdin.isTTY === true
  let press: (key: 'stop' | 'detach') => void = () => {}
  const pressed = new Promise<'stop' | 'detach'>(resolve => {
    press = resolve
  })
  let stops = 0
  const stop = () => {
    if (++stops > 1) leave(interruptedCode)
    press('stop')
  }
  // The terminal was closed: there is nothing to print to. Services keep running, as after `d`.
  const hangUp = () => leave(hungUpCode)
  const reader = new KeyReader((key: Key) => {
    if ('pasted' in key) return
    if (key.name === 'ctrl-c') stop()
    else if (!onKey(key.name) && canDetach && key.name.toLowerCase() === 'd') press('detach')
  })
  const read = (data: Buffer) => reader.push(data)
  let isClosed = false
  const resume = () => {
    if (isClosed) return
    process.on('SIGINT', stop).on('SIGTERM', stop).on('SIGHUP', hangUp)
    if (isKeyboard) stdin.setRawMode(true).on('data', read).resume()
  }
  const pause = () => {
    process.off('SIGINT', stop).off('SIGTERM', stop).off('SIGHUP', hangUp)
    if (!isKeyboard) return
    reader.close()
    stdin.off('data', read).setRawMode(false)
    stdin.pause()
  }
  const close = () => {
    isClosed = true
    pause()
  }
  const leave = (code: number) => {
    close()
    process.exit(code)
  }
  resume()
  return { isKeyboard, pressed, stop, pause, resume, close }
}

/** Handles SIGINT until closed: remembers the first, exits on the second. */
export class Interrupt {
  isPressed = false
  /** Called at the first. */
  onFirst: () => void = () => {}
  readonly #onSignal = () => {
    if (this.isPressed) process.exit(interruptedCode)
    this.isPressed = true
    this.onFirst()
  }

  constructor() {
    process.on('SIGINT', this.#onSignal)
  }

  close(): void {
    process.off('SIGINT', this.#onSignal)
  }
}
