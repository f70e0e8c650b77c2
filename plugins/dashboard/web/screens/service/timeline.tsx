import { useSignal } from '@preact/signals'
import type { ServiceView } from '../../../../../kernel/events.ts'
import type { HistoryAnswer, HistoryEntry } from '../../../../../kernel/protocol.ts'
import { Mark } from '../../parts/mark.tsx'
import { useAnswer } from '../../state/answer.ts'
import { clockOf, momentOf, type Shape } from '../../state/words.ts'

/** How many entries are shown at first. */
const limit = 12

interface Props {
  readonly view: ServiceView
  /** What of its state has changed. */
  readonly changes: readonly unknown[]
}

/** What has happened to a service, the newest first: states, exits, restarts with their reasons. */
export function Timeline({ view: { path, name }, changes }: Props) {
  const { answer } = useAnswer<HistoryAnswer>('/services/history', { path, service: name }, changes)
  const isWhole = useSignal(false)
  const entries = answer.value.value?.entries.toReversed()
  if (entries === undefined) return null
  const shown = isWhole.value ? entries : entries.slice(0, limit)
  return (
    <section class="card" aria-label="Events">
      <h2>Events</h2>
      {entries.length === 0 && <p class="dim">Nothing has happened yet.</p>}
      <ol class="timeline">
        {shown.map((entry, at) => (
          <Entry key={entries.length - at} entry={entry} />
        ))}
      </ol>
      {shown.length < entries.length && (
        <button type="button" onClick={() => (isWhole.value = true)}>
          Show {entries.length - shown.length} earlier
        </button>
      )}
    </section>
  )
}

function Entry({ entry }: { readonly entry: HistoryEntry }) {
  const { time, text, kind } = entry
  const { shape, word } = stateOf(entry)
  return (
    <li>
      <time dateTime={time} title={momentOf(time)}>
        {timeOf(time)}
      </time>
      <Mark shape={shape} />
      <span>
        <b class={shape === 'bad' ? 'bad-text' : undefined}>{word}</b>
        {text !== null && kind === 'state' && <span class="dim"> {withoutWord(text, word)}</span>}
      </span>
    </li>
  )
}

function stateOf({ kind, status, health, code, signal, text }: HistoryEntry): { shape: Shape; word: string } {
  if (kind === 'warning') return { shape: 'wait', word: text ?? 'warning' }
  if (kind === 'exit') {
    if (signal !== null) return { shape: 'done', word: `exited by ${signal}` }
    return { shape: code === 0 ? 'done' : 'bad', word: code === null ? 'exited' : `exited with code ${code}` }
  }
  if (status === 'running') {
    if (health === 'unhealthy') return { shape: 'bad', word: 'unhealthy' }
    return health === 'starting' ? { shape: 'wait', word: 'running' } : { shape: 'ok', word: 'ready' }
  }
  if (status === 'failed') return { shape: 'bad', word: 'failed' }
  if (status === 'stopped') return { shape: 'off', word: 'stopped' }
  return { shape: status === 'exited' ? 'done' : 'wait', word: status ?? '' }
}

/** Returns a reason without the word that stands before it: `waiting for db` after `waiting`. */
function withoutWord(text: string, word: string): string {
  return text.startsWith(`${word} `) ? text.slice(word.length + 1) : text
}

/** Returns the time of day, with the date where it is not today's. */
function timeOf(time: string): string {
  const date = new Date(time)
  const clock = clockOf(time)
  const isToday = date.toDateString() === new Date().toDateString()
  return isToday ? clock : `${date.toLocaleDateString('en-GB', { day: '2-digit', month: 'short' })} ${clock}`
}
