import { holdStderr } from './held-stderr.ts'

/** The exit codes of processes that signals killed, as shells count. */
const signals = { SIGINT: 130, SIGQUIT: 131, SIGTERM: 143 } as const

/** By then a process that the system stops is stopped, ms. */
const orphanMs = 50

/** What is shown on the terminal, and called with what happens there. */
export interface TerminalUser {
  /** Returns what the terminal receives first. */
  enter(): string
  /** Returns what restores it. */
  leave(): string
  /** Takes what was typed. */
  read(bytes: Buffer): void
  /** The screen has to be drawn again, as its size or its content has changed. */
  redraw(): void
}

/**
 * The terminal in full: raw from `open` to `close`, and restored however the process exits.
 */
export class Terminal {
  readonly #user: TerminalUser
  #isOpen = false
  #isSuspended = false
  #releaseStderr: () => string = () => ''

  constructor(user: TerminalUser) {
    this.#user = user
  }

  get columns(): number {
    return process.stdout.columns || 80
  }

  get rows(): number {
    return process.stdout.rows || 24
  }

  open(): void {
    process.on('exit', this.#close)
    // Before the handler that prints the error.
    process.prependListener('uncaughtException', this.#close)
    process.on('SIGINT', this.#leave).on('SIGQUIT', this.#leave).on('SIGTERM', this.#leave).on('SIGHUP', this.#hangUp)
    process.on('SIGTSTP', this.#suspend).on('SIGCONT', this.#resume)
    process.stdout.on('resize', this.#redraw)
    process.stdin.on('data', this.#read).on('end', this.#hangUp).on('error', this.#hangUp)
    this.#enter()
  }

  close(): void {
    this.#close()
    process.off('exit', this.#close).off('uncaughtException', this.#close)
    process
      .off('SIGINT', this.#leave)
      .off('SIGQUIT', this.#leave)
      .off('SIGTERM', this.#leave)
      .off('SIGHUP', this.#hangUp)
    process.off('SIGTSTP', this.#suspend).off('SIGCONT', this.#resume)
    process.stdout.off('resize', this.#redraw)
    process.stdin.off('data', this.#read).off('end', this.#hangUp).off('error', this.#hangUp)
    process.stdin.pause()
  }

  write(text: string): void {
    if (this.#isOpen) process.stdout.write(text)
  }

  /** Stops the whole job, as Ctrl-Z does; `fg` continues it. */
  suspend(): void {
    process.kill(0, 'SIGTSTP')
  }

  #enter(): void {
    process.stdin.setRawMode(true)
    process.stdin.resume()
    this.#releaseStderr = holdStderr()
    this.#isOpen = true
    process.stdout.write(this.#user.enter())
  }

  /** Restores the terminal; does nothing the second time. */
  readonly #close = () => {
    if (!this.#isOpen) return
    this.#isOpen = false
    // Where the terminal was closed there is nothing to restore.
    attempt(() => process.stdout.write(this.#user.leave()))
    attempt(() => process.stdin.setRawMode(false))
    const held = this.#releaseStderr()
    if (held !== '') attempt(() => process.stderr.write(held))
  }

  readonly #leave = (signal: keyof typeof signals) => process.exit(signals[signal])

  /** Not by `exit`: Node aborts when it cannot restore the mode of a terminal that was closed. */
  readonly #hangUp = () => {
    this.#close()
    process.off('SIGHUP', this.#hangUp)
    process.kill(process.pid, 'SIGHUP')
  }

  readonly #suspend = () => {
    this.#close()
    this.#isSuspended = true
    process.off('SIGTSTP', this.#suspend)
    process.kill(process.pid, 'SIGTSTP')
    process.on('SIGTSTP', this.#suspend)
    // Without a shell that could continue it, the system does not stop it: POSIX, orphaned process groups.
    setTimeout(() => {
      if (this.#isSuspended) this.#resume()
    }, orphanMs)
  }

  /** After SIGSTOP, which cannot be handled, the shell has changed the terminal, too. */
  readonly #resume = () => {
    this.#isSuspended = false
    this.#close()
    this.#enter()
    this.#user.redraw()
  }

  readonly #redraw = () => this.#user.redraw()

  readonly #read = (bytes: Buffer) => this.#user.read(bytes)
}

function attempt(act: () => unknown): void {
  try {
    act()
  } catch {
    // The terminal was closed.
  }
}
