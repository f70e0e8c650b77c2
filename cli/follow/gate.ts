/** Holds up who passes while it is closed. */
export class Gate {
  #opened: Promise<void> | undefined
  #open: () => void = () => {}

  close(): void {
    this.#opened ??= new Promise(resolve => {
      this.#open = resolve
    })
  }

  open(): void {
    this.#open()
    this.#opened = undefined
  }

  /** Resolves when it is open. */
  async pass(): Promise<void> {
    while (this.#opened !== undefined) await this.#opened
  }
}
