/** The exit code of a process that SIGINT ended, as shells count. */
export const interrupted = 130

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
