import { useEffect } from 'preact/hooks'
import { useActions } from '../../actions/registry.ts'
import { Empty } from '../../parts/empty.tsx'
import { isTrusted } from '../../state/doctor.ts'
import { place, setQuery } from '../../state/place.ts'
import { services } from '../../state/services.ts'
import { followChosen } from './chosen.ts'
import { requestActions } from './commands.ts'
import { Detail } from './detail.tsx'
import { Editor } from './edit.tsx'
import { List } from './list.tsx'
import { followRequests, record, rows, total } from './rows.ts'
import './style.css'

/** The latest requests of all services, and one of them with all that was kept of it. */
export default function Requests() {
  useEffect(followRequests, [])
  useEffect(followChosen, [])
  useActions(() => requestActions)
  const hasOne = place.value.query.get('id') !== null
  return (
    <section class={`requests${hasOne ? ' has-one' : ''}`} aria-label="Requests">
      <div class="side">
        <Filter />
        {rows.value.length === 0 ? <Nothing /> : <List />}
      </div>
      <Detail />
      <Editor />
    </section>
  )
}

function Filter() {
  const { query } = place.value
  const isGrouped = query.has('group')
  const chosen = query.getAll('service')
  const harQuery = chosen.map(key => `&service=${encodeURIComponent(key)}`).join('')
  return (
    <search class="filter">
      <input
        type="search"
        aria-label="Filter requests"
        placeholder="Filter: status:5xx method:POST path:/api"
        value={query.get('q') ?? ''}
        onInput={event => setQuery({ q: event.currentTarget.value || undefined })}
      />
      <span class="dim num" role="status">
        {rows.value.length} of {total.value}
      </span>
      <button
        type="button"
        aria-pressed={isGrouped}
        onClick={() => setQuery({ group: isGrouped ? undefined : 'page' })}
      >
        Group by page
      </button>
      <a class="button" href={`/v1/requests/har?tail=500${harQuery}`} download="requests.har">
        HAR
      </a>
    </search>
  )
}

function Nothing() {
  if (record.value === 'off')
    return (
      <Empty title="Requests are not recorded">
        <p>
          Remove <code>record = "off"</code> from <code>[proxy]</code> in <code>config.toml</code>.
        </p>
      </Empty>
    )
  if (total.value > 0)
    return (
      <Empty title="No request fits the filter">
        <button type="button" onClick={() => setQuery({ q: undefined, service: undefined })}>
          Show all
        </button>
      </Empty>
    )
  const url = services.value.find(view => view.url !== null)?.url
  // Until the CA is trusted, curl refuses its certificates.
  const curl = isTrusted.value === true ? 'curl' : 'curl -k'
  return (
    <Empty
      title="No requests yet: open the URL of a service"
      command={url === undefined || url === null ? 'locald up' : `${curl} ${url}`}
    />
  )
}
