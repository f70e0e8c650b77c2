import { holdStderr } from './held-stderr.ts'
import { type Key, KeyReader } from './keys.ts'

const esc = '\x1b['
/** The alternate screen, no automatic line breaks, and pasted text apart from keys. */
const enterScreen = `${esc}?1049h${esc}?7l${esc}?2004h${esc}?25l`
/** The reverse; first the end of a synchronised update that may have been interrupted. */
const leaveScreen = `${esc}?2026l${esc}m${esc}?2004l${esc}?7h${esc}?25h${esc}?1049l`

/** The exit codes of processes that signals killed, as shells count. */
const signals = { SIGINT: 130, SIGQUIT: 131, SIGTERM: 143 } as const

/** By then a process that the system stops is stopped, ms. */
const orphanMs = 50

/** What is called with what happens at the terminal. */
export interface TerminalEvents {
  pressed(key: Key): void
  /** The screen has to be drawn again, as its size or its content has changed. */
  redraw(): void
}

/**
 * The terminal in full: raw keys and the alternate screen from `open` to `close`, and restored however the
 * process exits.
 */
export class Terminal {
  readonly #events: TerminalEvents
  readonly #keys: KeyReader
  #isOpen = false
  #isSuspended = false
  #releaseStderr: () => string = () => ''

  constructor(events: TerminalEvents) {
    this.#events = events
    this.#keys = new KeyReader(key => events.pressed(key))
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
    this.#keys.close()
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
    process.stdout.write(enterScreen)
  }

  /** Restores the terminal; does nothing the second time. */
  readonly #close = () => {
    if (!this.#isOpen) return
    this.#isOpen = false
    // Where the terminal was closed there is nothing to restore.
    attempt(() => process.stdout.write(leaveScreen))
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
    this.#events.redraw()
  }

  readonly #redraw = () => this.#events.redraw()

  readonly #read = (bytes: Buffer) => this.#keys.push(bytes)
}

function attempt(act: () => unknown): void {
  try {
    act()
  } catch {
    // The terminal was closed.
  }
}
