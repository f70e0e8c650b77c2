import { notifyError } from '../../state/notices.ts'
import { follow } from '../../stream/client.ts'
import { readHistory } from './history.ts'
import { Lines, mostLines } from './lines.ts'
import { isLogLine, ReadLines, type Row, rowOf, without } from './row.ts'

/** Lines that the page has at first. */
const firstLines = 2000
/** Lines of a page of history. */
const pageLines = 1000
/** Newest lines that are kept while the window is elsewhere. */
const mostLive = 20_000

/**
 * Fills a window of lines: from the stream while it is at the end; while the user reads further up, it stays where it is,
 * and the rest is read from the daemon when it is wanted.
 */
export class Feed {
  readonly lines = new Lines()
  readonly #services: readonly string[]
  readonly #changed: () => void
  readonly #closed = new AbortController()
  /** The newest lines, while they are not in the window. */
  #live: Row[] = []
  /** What was read at the end. */
  #lastRead = new ReadLines([])
  /** The stream may first send lines from before this. */
  readonly #started = new Date().toISOString()
  #reading: Promise<void> = Promise.resolve()
  #readers = 0
  #off: () => void = () => {}
  /** Whether the window reaches the newest line. */
  isAttached = false
  /** Whether older lines may exist. */
  hasOlder = true
  isFollowing = true
  /** Lines that came while it did not follow. */
  missed = 0

  /** @param changed called when there is anything to draw */
  constructor(services: readonly string[], changed: () => void) {
    this.#services = services
    this.#changed = changed
  }

  /** Starts at the end, or around a time. */
  start(time?: string): void {
    this.#off = follow('logs', {
      services: this.#services,
      tail: 0,
      onValues: values => this.#accept(values.flatMap(value => (isLogLine(value) ? rowOf(value) : []))),
    })
    void this.#try(() => (time === undefined ? this.#loadEnd() : this.#loadAround(time)))
  }

  close(): void {
    this.#off()
    this.#closed.abort()
  }

  /** Stays where it is, or goes back to the end. */
  setFollowing(isFollowing: boolean): void {
    if (isFollowing === this.isFollowing) return
    this.isFollowing = isFollowing
    this.missed = 0
    this.#changed()
    if (!isFollowing) return
    if (this.isAttached) this.#trimOldest()
    else if (this.#live.length < pageLines) void this.#try(() => this.#loadEnd())
    else {
      this.lines.replace(this.#live)
      this.hasOlder = true
      this.#attach()
    }
  }

  /** Moves the window around a time. */
  goTo(time: string): void {
    this.isFollowing = false
    void this.#try(() => this.#loadAround(time))
  }

  /** Reads the lines before the window. */
  async readOlder(): Promise<void> {
    if (this.#readers > 0) return
    await this.#try(async () => {
      const { oldest } = this.lines
      if (oldest === undefined || !this.hasOlder) return
      const known = this.lines.slice(this.lines.first).filter(({ time }) => time <= oldest.time)
      const tail = pageLines + known.length
      const page = await this.#read({ until: oldest.time, tail })
      this.hasOlder = page.length >= tail
      this.lines.prepend(without(page, known))
      if (this.lines.trimNewest()) this.#detach()
    })
  }

  /** Reads the lines after the window. */
  async readNewer(): Promise<void> {
    if (this.#readers > 0) return
    await this.#try(async () => {
      const { newest } = this.lines
      if (newest === undefined || this.isAttached) return
      const known = this.lines.slice(this.lines.first).filter(({ time }) => time >= newest.time)
      const head = pageLines + known.length
      const page = await this.#read({ since: newest.time, head })
      this.lines.append(without(page, known))
      if (page.length < head) {
        const { newest: last = newest } = this.lines
        const present = this.lines.slice(this.lines.end - pageLines - mostLive)
        this.#lastRead = new ReadLines(present)
        this.lines.append(this.#live.filter(row => this.#lastRead.takes(row) && row.time >= last.time))
        this.#attach()
      }
      this.#trimOldest()
    })
  }

  async #loadEnd(): Promise<void> {
    this.#detach()
    let tail = firstLines
    let history = await this.#read({ tail })
    // One write may have more lines than that, all of one time: which of its lines are new ones cannot be seen then.
    while (history.length >= tail && history[0]?.time === history.at(-1)?.time) {
      tail *= 2
      history = await this.#read({ tail })
    }
    this.#lastRead = new ReadLines(history)
    this.lines.replace([...history, ...this.#live.filter(row => this.#lastRead.takes(row))])
    this.hasOlder = history.length >= tail
    this.#attach()
  }

  async #loadAround(time: string): Promise<void> {
    this.isFollowing = false
    this.#detach()
    // One write may have many lines, all of one time.
    const { length } = await this.#read({ since: time, until: time })
    const before = await this.#read({ until: time, tail: length + pageLines })
    const after = await this.#read({ since: time, head: length + pageLines })
    this.lines.replace([...before, ...without(after, before)])
    this.hasOlder = before.length >= length + pageLines
  }

  async #read(query: { since?: string; until?: string; tail?: number; head?: number }): Promise<readonly Row[]> {
    return await readHistory({ ...query, services: this.#services, signal: this.#closed.signal })
  }

  /** Runs one read after the other. */
  async #try(read: () => Promise<void>): Promise<void> {
    const before = this.#reading
    this.#readers += 1
    this.#reading = before.then(() => this.#run(read))
    await this.#reading
  }

  async #run(read: () => Promise<void>): Promise<void> {
    try {
      await read()
    } catch (error) {
      if (!this.#closed.signal.aborted) notifyError(error)
    } finally {
      this.#readers -= 1
      if (!this.#closed.signal.aborted) this.#changed()
    }
  }

  #accept(all: readonly Row[]): void {
    const rows = all.filter(row => this.#lastRead.takes(row))
    if (this.isAttached && (this.isFollowing || this.lines.size < mostLines)) this.lines.append(rows)
    else {
      if (this.isAttached) this.#detach()
      for (const row of rows) this.#live.push(row)
      if (this.#live.length > 2 * mostLive) this.#live.splice(0, this.#live.length - mostLive)
    }
    if (this.isFollowing) this.#trimOldest()
    else this.missed += rows.filter(({ time }) => time >= this.#started).length
    this.#changed()
  }

  #trimOldest(): void {
    if (this.lines.trimOldest()) this.hasOlder = true
  }

  #attach(): void {
    this.#live = []
    this.isAttached = true
  }

  #detach(): void {
    this.isAttached = false
  }
}
