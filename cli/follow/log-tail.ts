import type { LogLine } from '../../kernel/events.ts'
import { LogPosition } from '../../kernel/logs/log-position.ts'
import type { Client } from '../daemon/client.ts'
import { printAll } from '../output/terminal.ts'
import { PartialLines } from './partial-lines.ts'

/** The most lines of each service that are printed at the end: a reader that is far behind need not see all. */
const mostAtEnd = 1000

/** How a line is printed. */
export interface TailFormat {
  text(line: LogLine): string
}

/** Prints lines of services' logs, and remembers the last one to resume from. */
export class LogTail {
  readonly #format: TailFormat
  readonly #position: LogPosition
  readonly #partial = new PartialLines()
  /** The service whose lines are printed; undefined: all. */
  only: string | undefined

  /** @param begun as for `LogPosition` */
  constructor(format: TailFormat, begun: string) {
    this.#format = format
    this.#position = new LogPosition(begun)
  }

  /** Prints the lines that were not printed yet; whether there were any. */
  async print(lines: readonly LogLine[]): Promise<boolean> {
    const fresh = this.#position.take(lines)
    await printAll(
      this.#partial
        .rest(fresh)
        .filter(({ service }) => this.only === undefined || service === this.only)
        .map(line => `${this.#format.text(line)}\n`)
        .join(''),
    )
    return fresh.length > 0
  }

  /** Returns the query that resumes the stream. */
  resumeQuery(): { readonly since: string; readonly resume: readonly string[] } {
    return this.#position.resumeQuery()
  }

  /**
   * Prints the last lines of services that were not printed yet. The event of a service's exit comes over another
   * connection than its last lines, which may come later.
   */
  async printRest(daemon: Client, keys: readonly string[], path: string): Promise<void> {
    const from = this.#position.resumeQuery()
    const rest = async (service: string) => {
      const query = { path, service, tail: mostAtEnd, ...from }
      const doing = 'reading the last lines'
      const lines: LogLine[] = []
      for await (const batch of daemon.stream<LogLine>({ method: 'GET', path: '/v1/logs', query, doing }).batches)
        lines.push(...batch)
      return lines
    }
    // A service that was removed meanwhile has no more lines, nor has a daemon that exited.
    const rests = await Promise.all(keys.map(key => rest(key).catch(() => [])))
    await this.print(rests.flat().sort((a, b) => (a.time < b.time ? -1 : a.time > b.time ? 1 : 0)))
  }
}
