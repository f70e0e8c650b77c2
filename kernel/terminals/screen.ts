import type { TerminalSize } from '../contract/plugin.ts'
import { Emulator } from './emulator.ts'

/** Lines above the screen that a client gets with it. */
const scrollback = 1000

/** A terminal's screen, held by an emulator, which also answers the queries of programs. */
export class Screen {
  readonly #emulator: Emulator
  readonly #serialize: () => string

  private constructor(emulator: Emulator, serialize: () => string) {
    this.#emulator = emulator
    this.#serialize = serialize
  }

  /** Loads the emulator at its first use: a daemon whose terminals are not looked at does not need it. */
  static async create({ cols, rows }: TerminalSize): Promise<Screen> {
    const [emulator, addon] = await Promise.all([
      Emulator.create({ cols, rows, scrollback }),
      import('@xterm/addon-serialize'),
    ])
    const serializer = new addon.default.SerializeAddon()
    emulator.terminal.loadAddon(serializer)
    return new Screen(emulator, () => serializer.serialize({ scrollback }))
  }

  /** Shows output. `shown` is called when the screen has all output up to it, and nothing after it. */
  write(bytes: Uint8Array | string, shown?: () => void): void {
    this.#emulator.terminal.write(bytes, shown)
  }

  /** Resolves when all output so far is shown. */
  settled(): Promise<void> {
    return new Promise(resolve => this.#emulator.terminal.write('', resolve))
  }

  /** Adds a listener for answers to queries. */
  onAnswer(listener: (text: string) => void): void {
    this.#emulator.terminal.onData(listener)
  }

  resize({ cols, rows }: TerminalSize): void {
    this.#emulator.terminal.resize(cols, rows)
  }

  clear(): void {
    this.#emulator.clear()
  }

  /** Returns what makes an empty terminal of the same size look like it, with its modes. */
  text(): string {
    return this.#serialize() + this.#emulator.modeSequences
  }

  close(): void {
    this.#emulator.terminal.dispose()
  }
}
