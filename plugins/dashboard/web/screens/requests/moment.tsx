import { signal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import type { LogLine } from '../../../../../kernel/events.ts'
import type { ExchangeDetail } from '../../../../proxy/provides.ts'
import { lines } from '../../api.ts'
import { hrefOf } from '../../state/place.ts'
import { keys, serviceOf } from '../../state/services.ts'
import { nameClass, shortName } from '../../state/words.ts'

/** Lines this long before and after a request belong to it, ms. */
const around = { before: 5, after: 100 } as const
/** Lines shown. */
const limit = 100
/** Colours of the terminal. */
const escapes = /\x1b\[[0-?]*[ -/]*[@-~]/g

const found = signal<readonly LogLine[]>([])

/** The lines that the services of its project printed while a request was answered. */
export function Moment({ detail }: { readonly detail: ExchangeDetail }) {
  const { id, service, durationMs } = detail
  const path = service === null ? undefined : serviceOf(service).value?.path
  useEffect(() => {
    found.value = []
    if (path === undefined || durationMs === null) return
    const abort = new AbortController()
    void load(path, detail, abort.signal).catch(() => undefined)
    return () => abort.abort()
  }, [id, path, durationMs])
  if (service === null) return null
  return (
    <>
      <h4>Log lines of this moment</h4>
      {found.value.length === 0 ? (
        <p class="note">
          No lines within {around.after} ms of it.{' '}
          <a href={hrefOf('logs', { query: { service } })}>All logs of {shortName(service)}</a>
        </p>
      ) : (
        <section class="text" tabIndex={0} aria-label="Log lines of this moment">
          <pre>
            {found.value.map((line, at) => (
              <div key={`${line.time} ${at}`}>
                <span class="dim">{line.time.slice(11, 23)} </span>
                <span class={nameClass(line.service, keys.value)}>{shortName(line.service)} </span>
                {line.text.replace(escapes, '')}
              </div>
            ))}
          </pre>
        </section>
      )}
    </>
  )
}

async function load(path: string, { time, durationMs }: ExchangeDetail, abort: AbortSignal): Promise<void> {
  const begin = Date.parse(time)
  const query = new URLSearchParams({
    ...{ path, since: new Date(begin - around.before).toISOString() },
    until: new Date(begin + (durationMs ?? 0) + around.after).toISOString(),
    tail: String(limit),
  })
  const all: LogLine[] = []
  for await (const line of lines<LogLine>(`/logs?${query}`, undefined, abort)) all.push(line)
  if (!abort.aborted) found.value = all
}
