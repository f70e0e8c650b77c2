import type { ExchangeDetail, FrameView, HeaderView } from '../../../../proxy/provides.ts'
import { contextOf } from '../../actions/context.ts'
import { Act } from '../../parts/act.tsx'
import { place } from '../../state/place.ts'
import { clockOf, shortName } from '../../state/words.ts'
import { Body, Text } from './body.tsx'
import { choose, chosen, fault, isRevealed, reveal } from './chosen.ts'
import { Compare } from './compare.tsx'
import { Moment } from './moment.tsx'

/** The pane with one request. */
export function Detail() {
  const id = place.value.query.get('id')
  if (id === null) return null
  const detail = chosen.value
  return (
    <article class="one" aria-label="Request" tabIndex={-1}>
      <div class="title">
        <h2>{detail === undefined ? id : `${detail.method} ${detail.path}`}</h2>
        <button type="button" onClick={() => choose(undefined)} aria-label="Close" title="Close">
          ✕
        </button>
      </div>
      {fault.value !== undefined && <p class="note bad-text">{fault.value}</p>}
      {detail !== undefined && <Content detail={detail} />}
    </article>
  )
}

function Content({ detail }: { readonly detail: ExchangeDetail }) {
  const { id, status, reason, service, answeredBy, durationMs, time, host, error, httpVersion, firstByteMs } = detail
  const facts = [
    status === null ? 'no response' : `${status} ${reason}`.trim(),
    answeredBy === 'locald' ? 'answered by locald' : shortName(service ?? ''),
    durationMs === null ? 'open' : `${durationMs} ms`,
    ...(firstByteMs === null ? [] : [`first byte ${firstByteMs} ms`]),
    ...[clockOf(time), host, `HTTP/${httpVersion}`],
  ]
  const other = place.value.query.get('with')
  const context = contextOf(service ?? undefined)
  const query = isRevealed.value ? '&reveal=true' : ''
  return (
    <>
      <p class="meta">{facts.join(' · ')}</p>
      {error !== null && <p class="note bad-text">{error}</p>}
      <div class="acts-row">
        {detail.cannotReplay === null && (
          <Act id="requests.replay" context={context} class="primary">
            Replay <kbd>r</kbd>
          </Act>
        )}
        <Act id="requests.edit" context={context}>
          Edit
        </Act>
        <Act id="requests.curl" context={context}>
          Copy as curl
        </Act>
        <Act id="requests.fetch" context={context}>
          fetch
        </Act>
        <Act id="requests.httpie" context={context}>
          HTTPie
        </Act>
        <a class="button" href={`/v1/requests/har?id=${id}${query}`} download={`request-${id}.har`}>
          HAR
        </a>
        <Act id="requests.compare" context={context}>
          Compare
        </Act>
        <Act id="requests.pin" context={context}>
          Pin
        </Act>
      </div>
      {detail.cannotReplay !== null && <p class="note">Cannot be replayed: {detail.cannotReplay}.</p>}
      {other !== null && <Compare detail={detail} other={other} />}
      <h3>Request</h3>
      <Headers headers={detail.requestHeaders} />
      <Body body={detail.requestBody} label="Body of the request" />
      <h3>Response</h3>
      <Headers headers={detail.responseHeaders} />
      <Body body={detail.responseBody} label="Body of the response" />
      <Frames detail={detail} />
      <Moment detail={detail} />
    </>
  )
}

function Headers({ headers }: { readonly headers: readonly HeaderView[] }) {
  return (
    <dl>
      {headers.map(({ name, value, isMasked }, at) => (
        <div key={`${name} ${at}`}>
          <dt>{name.toLowerCase()}</dt>
          <dd>
            {value}{' '}
            {isMasked && (
              <button type="button" class="reveal" onClick={reveal} title="Show secrets for 10 seconds">
                reveal
              </button>
            )}
          </dd>
        </div>
      ))}
    </dl>
  )
}

function Frames({ detail: { frames, framesLost, kind } }: { readonly detail: ExchangeDetail }) {
  if (kind === 'http') return null
  return (
    <>
      <h3>{kind === 'sse' ? 'Events' : 'Frames'}</h3>
      {framesLost > 0 && <p class="note">{framesLost} were not kept: no one looked, or there were later ones.</p>}
      <ul class="frames" tabIndex={0} aria-label="Frames">
        {frames.map((frame, at) => (
          <Frame key={`${frame.time} ${at}`} frame={frame} />
        ))}
      </ul>
    </>
  )
}

function Frame({ frame: { from, time, type, bytes, text, note } }: { readonly frame: FrameView }) {
  return (
    <li>
      <span class="dim mono">{clockOf(time)} </span>
      <b title={from === 'client' ? 'from the client' : 'from the service'}>{from === 'client' ? '→' : '←'}</b> {type}{' '}
      {text === null ? <span class="note">{note ?? `${bytes} bytes`}</span> : <Text text={text} label={type} />}
    </li>
  )
}
