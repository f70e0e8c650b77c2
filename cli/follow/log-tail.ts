import type { LogLine } from '../../kernel/events.ts'
import type { Client } from '../daemon/client.ts'
import type { LineFormat } from '../output/log-format.ts'
import { printAll } from '../output/terminal.ts'
import { Seen } from './log-position.ts'
import { Pieces } from './partial-lines.ts'

/** So many lines of each service are shown at the end, at most: what a reader who is far behind has not seen need not come back. */
const mostAtEnd = 1000

/** Lines of services' logs that were printed: what came after them can be had once more. */
export class Shown {
  readonly #format: LineFormat
  readonly #seen: Seen
  readonly #pieces = new Pieces()

  /** @param begun as for `Seen` */
  constructor(format: LineFormat, begun: string) {
    this.#format = format
    this.#seen = new Seen(begun)
  }

  /** Prints what of lines was not printed yet; whether there was any. */
  async print(lines: readonly LogLine[]): Promise<boolean> {
    const fresh = this.#seen.take(lines)
    await printAll(
      this.#pieces
        .rest(fresh)
        .map(line => `${this.#format.text(line)}\n`)
        .join(''),
    )
    return fresh.length > 0
  }

  /** What a stream that is asked for once more has to bring. */
  again(): { readonly since: string; readonly resume: readonly string[] } {
    return this.#seen.again()
  }

  /**
   * What services have said that was not printed yet. The end of a service is told on another connection than its last words, which
   * may come later.
   */
  async printRest(daemon: Client, keys: readonly string[], path: string): Promise<void> {
    const from = this.#seen.again()
    const rest = async (service: string) => {
      const query = { path, service, tail: mostAtEnd, ...from }
      const doing = 'reading the last lines'
      const lines: LogLine[] = []
      for await (const batch of daemon.stream<LogLine>({ method: 'GET', path: '/v1/logs', query, doing }).batches)
        lines.push(...batch)
      return lines
    }
    // A service that was removed meanwhile has nothing more to say, nor has a daemon that has ended.
    const rests = await Promise.all(keys.map(key => rest(key).catch(() => [])))
    await this.print(rests.flat().sort((a, b) => (a.time < b.time ? -1 : a.time > b.time ? 1 : 0)))
  }
}
