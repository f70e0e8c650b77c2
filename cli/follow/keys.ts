/** The exit code of a process that SIGINT ended, as shells count. */
export const interrupted = 130

/** The keys pressed while logs are followed. */
export interface Keys {
  /** Whether single keys are heard: stdin is a terminal. */
  readonly isKeyboard: boolean
  /** The first that counts: Ctrl-C or `d`. A second Ctrl-C ends the process. */
  readonly pressed: Promise<'stop' | 'detach'>
  /** As if Ctrl-C were pressed. */
  stop(): void
  /** Gives the terminal back as it was. */
  close(): void
}

const ctrlC = '\x03'
/** The exit code of a process that SIGHUP ended, as shells count. */
const hungUp = 129

/** Listens for keys and for the signals that mean the same; the terminal is raw until `close`. */
export function listen(): Keys {
  const { stdin } = process
  const isKeyboard = stdin.isTTY === true
  let press: (key: 'stop' | 'detach') => void = () => {}
  const pressed = new Promise<'stop' | 'detach'>(resolve => {
    press = resolve
  })
  let stops = 0
  const stop = () => {
    if (++stops > 1) leave(interrupted)
    press('stop')
  }
  // A terminal that was closed has nobody left to write to; the services run on, as after `d`.
  const hangUp = () => leave(hungUp)
  const onData = (data: Buffer) => {
    for (const key of data.toString('latin1')) {
      if (key === ctrlC) stop()
      else if (key === 'd' || key === 'D') press('detach')
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

/** Ctrl-C, heard until `close`: the first is remembered, the second ends the process. */
export class Interrupt {
  isPressed = false
  /** Called at the first. */
  onFirst: () => void = () => {}
  readonly #heard = () => {
    if (this.isPressed) process.exit(interrupted)
    this.isPressed = true
    this.onFirst()
  }

  constructor() {
    process.on('SIGINT', this.#heard)
  }

  close(): void {
    process.off('SIGINT', this.#heard)
  }
}
