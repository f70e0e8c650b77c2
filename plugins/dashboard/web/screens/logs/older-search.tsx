import { signal } from '@preact/signals'
import type { LogSearchLine, LogSearchProgress } from '../../../../../kernel/protocol.ts'
import { lines as answerLines, searchOf } from '../../api.ts'
import { notifyError } from '../../state/notices.ts'
import { keys } from '../../state/services.ts'
import { nameClass, shortName } from '../../state/words.ts'
import { servicesQuery } from './history.ts'
import { clockOf } from './list.tsx'
import type { Model } from './model.ts'
import { type LogsPlace, lineName } from './query.ts'
import { type Row, rowOf, Tally } from './row.ts'

/** Most matches that are listed. */
const mostListed = 500

/** What a search found so far, in the lines that the page does not hold. */
interface Found {
  readonly rows: readonly Row[]
  readonly progress: LogSearchProgress | undefined
  /** Whether the search is over. */
  readonly isDone: boolean
  /** Whether it has not found all. */
  readonly isLimited: boolean
}

const nothing: Found = { rows: [], progress: undefined, isDone: false, isLimited: false }

/** A search of the daemon in the lines before those in the page. */
export class OlderSearch {
  readonly found = signal<Found | undefined>(undefined)
  #abort: AbortController | undefined
  /** Lines in the page that the daemon may find as well. */
  #held = new Tally([])

  /** Searches before the lines of the page, oldest first; replaces an earlier search. */
  async run({ text, isRegex, isCase, level, services }: LogsPlace, lines: readonly Row[]): Promise<void> {
    this.close()
    const until = lines[0]?.time
    this.#held = new Tally(lines.filter(({ time }) => time === until))
    const abort = new AbortController()
    this.#abort = abort
    const wanted = text === '' ? {} : { text, regex: isRegex, case: isCase }
    const words = searchOf({ ...servicesQuery(services), ...wanted, level, until, limit: mostListed })
    this.found.value = nothing
    try {
      for await (const line of answerLines<LogSearchLine>(`/logs/search?${words}`, undefined, abort.signal))
        this.#add(line)
    } catch (error) {
      if (abort.signal.aborted) return
      this.close()
      notifyError(error)
    }
  }

  /** Stops it, and forgets what it found. */
  close(): void {
    this.#abort?.abort()
    this.#abort = undefined
    this.found.value = undefined
  }

  #add(line: LogSearchLine): void {
    const found = this.found.value ?? nothing
    if ('match' in line) {
      if (!this.#held.take(line.match)) this.found.value = { ...found, rows: [...found.rows, rowOf(line.match)] }
    } else if ('progress' in line) this.found.value = { ...found, progress: line.progress }
    else if ('done' in line) this.found.value = { ...found, isDone: true, isLimited: !line.done.isComplete }
    else {
      this.close()
      notifyError(new Error(`${line.error.message}. ${line.error.hint ?? ''}`))
    }
  }
}

interface Props {
  readonly search: OlderSearch
  readonly model: Model
}

/** The matches of a search of the daemon; a click shows one among its neighbours. */
export function OlderMatches({ search, model }: Props) {
  const found = search.found.value
  if (found === undefined) return null
  const { rows, progress, isDone, isLimited } = found
  const percent =
    progress === undefined ? 0 : Math.floor((100 * progress.scannedBytes) / Math.max(1, progress.totalBytes))
  const back = progress?.scannedTo ? ` back to ${progress.scannedTo.slice(0, 10)} ${clockOf(progress.scannedTo)}` : ''
  return (
    <section class="older" aria-label="Matches in older lines">
      <p class="older-head">
        <span role="status">
          {isDone
            ? `${rows.length}${isLimited ? ' or more' : ''} in older lines`
            : `Searching older lines${back}: ${rows.length} so far`}
        </span>
        {!isDone && (
          <progress max={100} value={percent} aria-label="Searched">
            {percent} %
          </progress>
        )}
        <button type="button" onClick={() => search.close()}>
          {isDone ? 'Close' : 'Cancel'}
        </button>
      </p>
      {rows.length > 0 && (
        <ul>
          {rows.map((row, at) => (
            <li key={at}>
              <button type="button" onClick={() => model.goTo(lineName(row))}>
                <span class="time num">
                  {row.time.slice(0, 10)} {clockOf(row.time)}
                </span>
                <em class={nameClass(row.service, keys.value)}>{shortName(row.service)}</em>
                <code>{row.plain.slice(0, 300)}</code>
              </button>
            </li>
          ))}
        </ul>
      )}
    </section>
  )
}
