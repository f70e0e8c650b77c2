import { signal } from '@preact/signals'
import diff from 'microdiff'
import { useEffect } from 'preact/hooks'
import type { BodyView, ExchangeDetail, HeaderView } from '../../../../proxy/provides.ts'
import { get } from '../../api.ts'
import { notifyError } from '../../state/notices.ts'
import { setQuery } from '../../state/place.ts'
import { rows } from './rows.ts'

const compared = signal<ExchangeDetail | undefined>(undefined)

/** What differs between the shown request and another. */
export function Compare({ detail, other }: { readonly detail: ExchangeDetail; readonly other: string }) {
  useEffect(() => {
    compared.value = undefined
    get<ExchangeDetail>(`/requests/${other}`)
      .then(found => (compared.value = found))
      .catch(notifyError)
  }, [other])
  const found = compared.value
  const differences = found === undefined ? [] : diff(comparable(found), comparable(detail))
  return (
    <section class="compare" aria-label="Comparison">
      <h3>
        <label>
          Compared with{' '}
          <select value={other} onChange={event => setQuery({ with: event.currentTarget.value })}>
            {rows.value
              .filter(({ id }) => id !== detail.id)
              .slice(0, 100)
              .map(({ id, method, path, status }) => (
                <option key={id} value={id}>
                  {id} {method} {path} {status}
                </option>
              ))}
          </select>
        </label>
      </h3>
      {found !== undefined && differences.length === 0 && <p class="note">No differences.</p>}
      <dl>
        {differences.map(each => (
          <div key={each.path.join('.')}>
            <dt>{each.path.join(' › ')}</dt>
            <dd>
              {each.type !== 'CREATE' && <del>{shown(each.oldValue)}</del>}{' '}
              {each.type !== 'REMOVE' && <ins>{shown(each.value)}</ins>}
            </dd>
          </div>
        ))}
      </dl>
    </section>
  )
}

function comparable({ method, path, status, service, requestHeaders, responseHeaders, ...detail }: ExchangeDetail) {
  return {
    ...{ method, path, status, service },
    request: { headers: headersOf(requestHeaders), body: contentOf(detail.requestBody) },
    response: { headers: headersOf(responseHeaders), body: contentOf(detail.responseBody) },
  }
}

function headersOf(headers: readonly HeaderView[]): Record<string, string> {
  return Object.fromEntries(headers.map(({ name, value }) => [name.toLowerCase(), value]))
}

function contentOf({ text, bytes }: BodyView): unknown {
  if (text === null) return `${bytes} bytes`
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

function shown(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}
