import type { Terminal } from '@xterm/headless'
import type { TerminalSize } from '../contract/plugin.ts'

/** Lines above the screen that a client gets with it. */
const scrollback = 1000

/** A terminal's screen, held by an emulator, which also answers the queries of programs. */
export class Screen {
  readonly #terminal: Terminal
  readonly #serialize: () => string

  private constructor(terminal: Terminal, serialize: () => string) {
    this.#terminal = terminal
    this.#serialize = serialize
  }

  /** Loads the emulator at its first use: a daemon whose terminals are not looked at does not need it. */
  static async create({ cols, rows }: TerminalSize): Promise<Screen> {
    const [emulator, addon] = await Promise.all([import('@xterm/headless'), import('@xterm/addon-serialize')])
    const terminal = new emulator.default.Terminal({ cols, rows, scrollback, allowProposedApi: true })
    const serializer = new addon.default.SerializeAddon()
    terminal.loadAddon(serializer)
    return new Screen(terminal, () => serializer.serialize({ scrollback }))
  }

  /** Shows output. `shown` is called when the screen has all output up to it, and nothing after it. */
  write(bytes: Uint8Array | string, shown?: () => void): void {
    this.#terminal.write(bytes, shown)
  }

  /** Resolves when all output so far is shown. */
  settled(): Promise<void> {
    return new Promise(resolve => this.#terminal.write('', resolve))
  }

  /** Adds a listener for answers to queries. */
  onAnswer(listener: (text: string) => void): void {
    this.#terminal.onData(listener)
  }

  resize({ cols, rows }: TerminalSize): void {
    this.#terminal.resize(cols, rows)
  }

  clear(): void {
    this.#terminal.reset()
  }

  /** Returns what makes an empty terminal of the same size look like it, with its modes. */
  text(): string {
    return this.#serialize()
  }

  close(): void {
    this.#terminal.dispose()
  }
}
