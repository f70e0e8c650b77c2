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
  /** Restores the terminal. */
  close(): void
}

const ctrlC = '\x03'
/** The exit code of a process that SIGHUP killed, as shells count. */
const hungUpCode = 129

/** Listens for keys and for the signals that mean the same; the terminal is raw until `close`. */
export function listenForKeys(canDetach = true): Keys {
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
  const onData = (data: Buffer) => {
    for (const key of data.toString('latin1')) {
      if (key === ctrlC) stop()
      else if (canDetach && (key === 'd' || key === 'D')) press('detach')
    }
  }
  const close = () => {
    process.off('SIGINT', stop).off('SIGTERM', stop).off('SIGHUP', hangUp)
    if (!isKeyboard) return
    stdin.off('data', onData).setRawMode(false)
    stdin.pause()
  }
  const leave = (code: number) => {
    close()
    process.exit(code)
  }
  process.on('SIGINT', stop).on('SIGTERM', stop).on('SIGHUP', hangUp)
  if (isKeyboard) stdin.setRawMode(true).on('data', onData)
  return { isKeyboard, pressed, stop, close }
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
