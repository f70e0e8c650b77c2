import type { LogLine } from '../kernel/events.ts'
import type { Client } from './client.ts'
import type { LineFormat } from './lines.ts'
import { printAll } from './output.ts'

/** The last moment that lines of a service are shown of, and how many have its time. */
interface Last {
  readonly time: string
  count: number
}

/** So many lines of each service are shown at the end, at most: what a reader who is far behind has not seen need not come back. */
const mostAtEnd = 1000

/** Lines of services' logs that were printed: what came after them can be had once more. */
export class Shown {
  readonly #format: LineFormat
  readonly #last = new Map<string, Last>()

  constructor(format: LineFormat) {
    this.#format = format
  }

  async print(lines: readonly LogLine[]): Promise<void> {
    for (const { service, time } of lines) {
      const last = this.#last.get(service)
      if (last?.time === time) last.count += 1
      else if (last === undefined || last.time < time) this.#last.set(service, { time, count: 1 })
    }
    await printAll(lines.map(line => `${this.#format.text(line)}\n`).join(''))
  }

  /**
   * What services have said that was not printed yet. The end of a service is told on another connection than its last words, which
   * may come later.
   */
  async printRest(daemon: Client, keys: readonly string[], path: string, since: string): Promise<void> {
    // A service that was removed meanwhile has nothing more to say, nor has a daemon that has ended.
    const rests = await Promise.all(keys.map(key => this.#rest(daemon, key, path, since).catch(() => [])))
    await this.print(rests.flat().sort((a, b) => (a.time < b.time ? -1 : a.time > b.time ? 1 : 0)))
  }

  async #rest(daemon: Client, key: string, path: string, begun: string): Promise<readonly LogLine[]> {
    const { time: since, count } = this.#last.get(key) ?? { time: begun, count: 0 }
    const query = { path, service: key, since, tail: mostAtEnd }
    const doing = 'reading the last lines'
    const lines: LogLine[] = []
    for await (const batch of daemon.stream<LogLine>({ method: 'GET', path: '/v1/logs', query, doing }).batches)
      lines.push(...batch)
    const isShown = (line: LogLine, index: number) => index < count && line.time === since
    return lines.filter((line, index) => !isShown(line, index))
  }
}
