import type { Instance, TerminalConnection, TerminalSize } from '../contract/plugin.ts'
import { readLogs } from '../logs/merge.ts'
import type { TerminalNote } from '../protocol.ts'
import { exitText } from '../services/restart-policy.ts'
import type { Service } from '../services/service.ts'
import { pause, unlessAborted } from '../system/async.ts'
import { BoundedNumbers } from './bounded-numbers.ts'
import { Feed } from './feed.ts'
import { Screen } from './screen.ts'
import type { Viewer } from './viewer.ts'

/** The size of a terminal at which no one looks. */
const ownSize: TerminalSize = { cols: 120, rows: 40 }
/** A connection that closed is opened again after so long, unless the service has exited: ms. */
const reopenMs = 250
/** Lines of the log of a service without a terminal, or that does not run. */
const logTail = 1000
/** Takes back what a program that has exited may have left: alternate screen, mouse, keys, hidden cursor, colours. */
const ordinaryModes = '\x1b[?1047l\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1006l\x1b[?2004l\x1b[!p\x1b[0m\x1b[?25h'

/**
 * The terminal of a service while clients look at it, through all its restarts. A service without a terminal shows its
 * log.
 */
export class TerminalSession {
  readonly #service: Service
  readonly #over = new AbortController()
  readonly #viewers = new Set<Viewer>()
  #screen: Screen | undefined
  #feed: Feed | undefined
  #connection: TerminalConnection | undefined
  #size = ownSize
  /** Whether the screen is one to show. */
  #isBegun = false

  /** @param failed reports an error that is not expected */
  constructor(service: Service, failed: (error: unknown) => void) {
    this.#service = service
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
      this.#note({ notice: 'discarded typed text, which the service does not read' })
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
    if (this.#service.supervisor.instance === undefined) await this.#showLog(screen, false)
    for (let last: Instance | undefined; !signal.aborted; ) {
      const instance = await this.#nextInstance(last)
      if (instance !== undefined && !(await this.#attend(instance, screen))) return this.#showLog(screen, true)
      last = instance
    }
  }

  /** Returns an instance other than the last one as soon as it runs; undefined at the end of the session. */
  async #nextInstance(last: Instance | undefined): Promise<Instance | undefined> {
    const { state, supervisor } = this.#service
    const isOther = () => supervisor.instance !== undefined && supervisor.instance !== last
    await state.until(isOther, this.#over.signal).catch(() => {})
    return this.#over.signal.aborted ? undefined : supervisor.instance
  }

  /** Shows an instance until it exits. Returns false when it has no terminal. */
  async #attend(instance: Instance, screen: Screen): Promise<boolean> {
    const { signal } = this.#over
    let exit = await Promise.race([instance.exited, pause(0)])
    for (let isFirst = true; exit === undefined && !signal.aborted; ) {
      const connection = await this.#connect(instance)
      if (connection === 'none') return false
      if (connection !== undefined) await this.#relay(connection, screen, isFirst)
      isFirst &&= connection === undefined
      exit = await unlessAborted(Promise.race([instance.exited, pause(reopenMs, signal)]), signal)
    }
    if (exit !== undefined) this.#write(screen, `${ordinaryModes}\r\n\x1b[2m[${exitText(exit)}]\x1b[0m\r\n`)
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

  async #relay(connection: TerminalConnection, screen: Screen, isFirst: boolean): Promise<void> {
    if (this.#over.signal.aborted) return void connection.stream.destroy()
    if (!isFirst) {
      // It has lagged behind its service: the screen is built from the last output.
      screen.clear()
      this.#isBegun = false
      for (const viewer of this.#viewers) viewer.interrupt()
    }
    this.#connection = connection
    this.#feed = new Feed(connection, screen, {
      shown: bytes => this.#push(bytes),
      begun: () => this.#begin(),
    })
    // It may have changed while the connection was opened.
    connection.resize(this.#size)
    this.#note({ input: true })
    await this.#feed.run()
    this.#feed = undefined
    this.#connection = undefined
    this.#note({ input: false })
  }

  /** Shows the end of the log; with `follow`, all that comes, too. */
  async #showLog(screen: Screen, follow: boolean): Promise<void> {
    const { signal } = this.#over
    const { ref, log } = this.#service
    screen.clear()
    this.#begin()
    for await (const lines of readLogs({ sources: [{ service: ref.key, log }], tail: logTail, follow, signal })) {
      for (const { stream, text } of lines)
        this.#write(screen, stream === 'locald' ? `\x1b[2m${text}\x1b[0m\r\n` : `${text}\x1b[0m\r\n`)
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
    if (this.#isBegun && this.#screen !== undefined)
      viewer.show(this.#screen.text(), this.#size, this.#feed !== undefined)
  }

  #push(bytes: Uint8Array): void {
    for (const viewer of this.#viewers) viewer.push(bytes)
  }

  #note(note: TerminalNote): void {
    for (const viewer of this.#viewers) viewer.note(note)
  }
}
