import type { Instance, TerminalConnection, TerminalSize } from '../contract/plugin.ts'
import { readLogs } from '../logs/merge.ts'
import type { TerminalNote } from '../protocol.ts'
import { exitText } from '../services/restart-policy.ts'
import { pause, unlessAborted } from '../system/async.ts'
import { BoundedNumbers } from './bounded-numbers.ts'
import { Feed } from './feed.ts'
import { Screen } from './screen.ts'
import type { TerminalSource } from './source.ts'
import type { Viewer } from './viewer.ts'

/** The size of a terminal at which no one looks. */
const ownSize: TerminalSize = { cols: 120, rows: 40 }
/** A connection that closed is opened again after so long, unless the service has exited: ms. */
const reopenMs = 250
/** Lines of the log of a service without a terminal, or that does not run. */
const logTail = 1000
/** Takes back what a program that has exited may have left: alternate screen, mouse, keys, hidden cursor, colours. */
const ordinaryModes = '\x1b[?1047l\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1006l\x1b[?2004l\x1b[!p\x1b[0m\x1b[?25h'

/** A terminal, through all restarts of its process. A process without a terminal shows its log. */
export class TerminalSession {
  readonly #source: TerminalSource
  readonly #over = new AbortController()
  readonly #viewers = new Set<Viewer>()
  #screen: Screen | undefined
  #feed: Feed | undefined
  #connection: TerminalConnection | undefined
  #size = ownSize
  /** Whether its process has no terminal. */
  #hasPipes = false
  /** Whether the screen is one to show. */
  #isBegun = false

  /** @param failed reports an error that is not expected */
  constructor(source: TerminalSource, failed: (error: unknown) => void) {
    this.#source = source
    void this.#run().catch(failed)
  }

  get isWatched(): boolean {
    return this.#viewers.size > 0
  }

  join(viewer: Viewer): void {
    this.#viewers.add(viewer)
    this.fit()
    this.#show(viewer)
  }

  leave(viewer: Viewer): void {
    this.#viewers.delete(viewer)
    this.fit()
  }

  /** Gives the terminal the size of the smallest client, so that each sees all of it. */
  fit(): void {
    if (!this.isWatched) return
    const sizes = [...this.#viewers].map(({ size }) => size)
    const size = { cols: Math.min(...sizes.map(({ cols }) => cols)), rows: Math.min(...sizes.map(({ rows }) => rows)) }
    if (size.cols === this.#size.cols && size.rows === this.#size.rows) return
    this.#size = size
    this.#screen?.resize(size)
    this.#connection?.resize(size)
    this.#note({ size: [size.cols, size.rows] })
  }

  type(bytes: Uint8Array): void {
    if (this.#feed?.type(bytes) === false)
      this.#note({ notice: 'discarded typed text, which the program does not read' })
  }

  acknowledge(viewer: Viewer, bytes: number): void {
    viewer.acknowledge(bytes)
    if (viewer.isDue) this.#show(viewer)
  }

  close(): void {
    this.#over.abort()
    this.#connection?.resize(ownSize)
    this.#feed?.close()
    this.#screen?.close()
  }

  async #run(): Promise<void> {
    const { signal } = this.#over
    const screen = await Screen.create(this.#size)
    if (signal.aborted) return screen.close()
    // Clients may have come meanwhile.
    screen.resize(this.#size)
    screen.onAnswer(text => this.#feed?.answer(text))
    this.#screen = screen
    if (this.#source.instance === undefined) await this.#showLog(screen, false)
    for (let last: Instance | undefined; !signal.aborted; ) {
      const instance = await this.#nextInstance(last)
      if (instance !== undefined && !(await this.#attend(instance, screen))) {
        this.#hasPipes = true
        return this.#showLog(screen, true)
      }
      last = instance
    }
  }

  /** Returns an instance other than the last one as soon as it runs; undefined at the end of the session. */
  async #nextInstance(last: Instance | undefined): Promise<Instance | undefined> {
    const { signal } = this.#over
    await this.#source.another(last, signal).catch(() => {})
    return signal.aborted ? undefined : this.#source.instance
  }

  /** Shows an instance until it exits. Returns false when it has no terminal. */
  async #attend(instance: Instance, screen: Screen): Promise<boolean> {
    const { signal } = this.#over
    let exit = await Promise.race([instance.exited, pause(0)])
    let [isFirst, isWhole] = [true, false]
    while (exit === undefined && !signal.aborted) {
      const connection = await this.#connect(instance)
      const hasNone = connection === 'none'
      isWhole = connection !== undefined && !hasNone && (await this.#relay(connection, screen, isFirst))
      isFirst &&= connection === undefined || hasNone
      exit = await unlessAborted(Promise.race([instance.exited, pause(reopenMs, signal)]), signal)
      // One whose process has just exited has none any more.
      if (hasNone && exit === undefined) return false
    }
    if (exit === undefined) return true
    // It exited before it could be reached, or faster than it was read: its log has what it printed.
    if (!isFirst && !isWhole) this.#startOver(screen)
    if (!isWhole) await this.#showMissed(instance, screen)
    this.#write(screen, `${ordinaryModes}\r\n\x1b[90m[${exitText(exit)}]\x1b[0m\r\n`)
    return true
  }

  /** Returns undefined when it cannot be reached now. */
  async #connect(instance: Instance): Promise<TerminalConnection | 'none' | undefined> {
    if (instance.openTerminal === undefined) return 'none'
    try {
      return (await instance.openTerminal(this.#size)) ?? 'none'
    } catch {
      return undefined
    }
  }

  /** Shows the output of a connection until it closes. Returns false when some of it may be missing. */
  async #relay(connection: TerminalConnection, screen: Screen, isFirst: boolean): Promise<boolean> {
    if (this.#over.signal.aborted) {
      connection.stream.destroy()
      return true
    }
    // It has lagged behind its service: the screen is built from the last output.
    if (!isFirst) this.#startOver(screen)
    this.#connection = connection
    const feed = new Feed(connection, screen, {
      shown: bytes => this.#push(bytes),
      begun: () => this.#begin(),
    })
    this.#feed = feed
    // It may have changed while the connection was opened.
    connection.resize(this.#size)
    this.#note({ input: true })
    await feed.run()
    this.#feed = undefined
    this.#connection = undefined
    this.#note({ input: false })
    return feed.isWhole
  }

  #startOver(screen: Screen): void {
    screen.clear()
    this.#isBegun = false
    for (const viewer of this.#viewers) viewer.interrupt()
  }

  /** Shows the end of the log; with `follow`, all that comes, too. */
  async #showLog(screen: Screen, follow: boolean): Promise<void> {
    screen.clear()
    this.#begin()
    await this.#showLines(screen, follow)
  }

  async #showMissed({ startedMs }: Instance, screen: Screen): Promise<void> {
    this.#begin()
    await this.#showLines(screen, false, new Date(startedMs).toISOString())
  }

  async #showLines(screen: Screen, follow: boolean, since?: string): Promise<void> {
    const { signal } = this.#over
    const { key, log } = this.#source
    const sources = [{ service: key, log, since }]
    for await (const lines of readLogs({ sources, tail: logTail, follow, signal })) {
      for (const { stream, text } of lines)
        this.#write(screen, stream === 'locald' ? `\x1b[90m${text}\x1b[0m\r\n` : `${text}\x1b[0m\r\n`)
      // Read only as fast as it can be shown.
      await unlessAborted(screen.settled(), signal)
      if (signal.aborted) return
    }
  }

  #write(screen: Screen, text: string): void {
    const bytes = new BoundedNumbers().bound(Buffer.from(text))
    screen.write(bytes, () => this.#push(bytes))
  }

  #begin(): void {
    this.#isBegun = true
    for (const viewer of this.#viewers) if (viewer.isDue) this.#show(viewer)
  }

  #show(viewer: Viewer): void {
    if (!this.#isBegun || this.#screen === undefined) return
    const kind = this.#hasPipes ? ({ pipes: true } as const) : {}
    viewer.show(this.#screen.text(), { ...this.#size, input: this.#feed !== undefined, ...kind })
  }

  #push(bytes: Uint8Array): void {
    for (const viewer of this.#viewers) viewer.push(bytes)
  }

  #note(note: TerminalNote): void {
    for (const viewer of this.#viewers) viewer.note(note)
  }
}
