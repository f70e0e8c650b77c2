import { LocaldError } from '../../../kernel/errors.ts'
import { framingOf, headLines, type RawHeaders, requestHeaders } from '../message/headers.ts'
import { requestInfoOf } from '../message/request-info.ts'
import { render } from '../pages/responses.ts'
import type { ReplayBody, Web } from '../provides.ts'
import type { Destination } from '../routing/decision.ts'
import type { Router } from '../routing/router.ts'
import type { Exchange, Receiver, Sender, UpstreamRequest } from '../upstream/exchange.ts'
import type { Entry } from './entry.ts'
import type { Recorder } from './recorder.ts'
import type { Recording } from './recording.ts'
import { removeChunks } from './view/decode.ts'
import { requestFields } from './view/heads.ts'
import { isChunked, whyNoReplay } from './view/views.ts'

/** A replayed request may take so long; an event stream is read until its head. ms */
const maxMs = 60_000

/** What replays need of the proxy. */
export interface ReplayParts {
  readonly recorder: Recorder
  readonly router: Router
  readonly pool: Sender
  readonly web: Web
}

/** A request to be sent: as a client would have sent it, and its body as it is on the wire. */
interface NewRequest {
  readonly method: string
  readonly path: string
  readonly fields: RawHeaders
  readonly body: Buffer
  /** Whether nothing was changed. */
  readonly isSame: boolean
}

/** Where a client would send a request to. */
type PublicPlace = Pick<Entry['head'], 'scheme' | 'host'>

/** Sends the request of an entry again, with changes if there are any, and returns the entry of the new exchange. */
export async function replay(parts: ReplayParts, entry: Entry, changes: ReplayBody): Promise<Entry> {
  const { recorder, router, pool } = parts
  const request = await requestFor(entry, changes)
  const { scheme, version } = entry.head
  const { method, path, fields } = request
  const info = requestInfoOf(method, path, fields)
  if (typeof info === 'string') throw new LocaldError('REPLAY_FAILED', `the request cannot be sent: ${info}`)
  // Not the recorded one: a changed header may name another.
  const { host } = info
  const release = recorder.watch()
  const since = performance.now()
  const recording = recorder.begin({ method, path, host, scheme, version, fields }, since)
  recording.entry.replayOf = recorder.idOf(entry)
  try {
    const limit = AbortSignal.timeout(maxMs)
    // Never the page that a browser gets while a service starts.
    const plain = { ...info, isNavigation: false, wantsHtml: false, progress: undefined }
    const decision = await router.route({ info: plain, scheme, since, signal: () => limit })
    if (decision.kind === 'respond') {
      const { status, reason, headers, body } = render(decision.response, false)
      recording.respond(status, reason, headers, body)
    } else {
      const { to } = decision
      const sent = request.isSame ? sameRequest(entry, to) : undefined
      const upstream = sent ?? newRequest(parts, { ...request, scheme, host }, to)
      await send(recording.through(pool, to), { to, request: upstream, body: request.body, recording }, limit)
    }
  } finally {
    release()
  }
  return recording.entry
}

/** Returns the recorded bytes, where the request goes to the same path of the same service. */
function sameRequest({ sent }: Entry, to: Destination): UpstreamRequest | undefined {
  if (sent === undefined || sent.to.key !== to.key || sent.to.path !== to.path || sent.to.protocol !== to.protocol)
    return undefined
  // A connection that was used may prove stale, and this request is sent once.
  return sent.request.protocol === 'h2c' ? sent.request : { ...sent.request, fresh: true }
}

async function requestFor(entry: Entry, changes: ReplayBody): Promise<NewRequest> {
  const { head } = entry
  const fields = changedFields(requestFields(entry), changes)
  const isSame = Object.keys(changes).length === 0
  const fault = changes.body === undefined ? whyNoReplay(entry) : entry.isUpgraded ? whyNoReplay(entry) : undefined
  if (fault !== undefined) throw notReplayable(fault, entry)
  const kept = changes.body === undefined ? await entry.requestBody?.read() : undefined
  if (kept === undefined && changes.body === undefined && (entry.requestBody?.size ?? 0) > 0)
    throw notReplayable('its body was not kept', entry)
  if (isSame) return { method: head.method, path: head.path, fields, body: kept ?? Buffer.alloc(0), isSame }
  const method = changes.method ?? head.method
  const path = changes.path === undefined ? head.path : encodePath(changes.path)
  const body =
    changes.body === undefined
      ? contentOf(entry, kept)
      : Buffer.from(changes.body, changes.base64 === true ? 'base64' : 'utf8')
  return { method, path, fields: withLength(fields, body, changes.body !== undefined), body, isSame }
}

function contentOf(entry: Entry, kept: Buffer | undefined): Buffer {
  if (kept === undefined) return Buffer.alloc(0)
  return isChunked(entry) ? removeChunks(kept) : kept
}

function changedFields(fields: RawHeaders, { headers, set = [] }: ReplayBody): RawHeaders {
  const base = headers === undefined ? fields : headers.flatMap(({ name, value }) => [name, toLatin1(value)])
  const changed = new Map(set.map(each => [each.name.toLowerCase(), each]))
  const kept: string[] = []
  for (let i = 0; i + 1 < base.length; i += 2) {
    const name = base[i] ?? ''
    if (!changed.has(name.toLowerCase())) kept.push(name, base[i + 1] ?? '')
  }
  for (const { name, value } of set) if (value !== '') kept.push(name, toLatin1(value))
  return kept
}

/** Encodes what a request line cannot have. */
function encodePath(path: string): string {
  return path.replace(/[^!-~]+/g, text => encodeURIComponent(Buffer.from(text).toString()))
}

/** Values have one character for each byte. */
function toLatin1(value: string): string {
  return Buffer.from(value, 'utf8').toString('latin1')
}

/** Frames a changed request by its length. A body that was written by hand is not compressed. */
function withLength(fields: RawHeaders, body: Buffer, isNew: boolean): RawHeaders {
  const kept: string[] = []
  for (let i = 0; i + 1 < fields.length; i += 2) {
    const key = (fields[i] ?? '').toLowerCase()
    if (['content-length', 'transfer-encoding', 'trailer', 'expect'].includes(key)) continue
    if (isNew && key === 'content-encoding') continue
    kept.push(fields[i] ?? '', fields[i + 1] ?? '')
  }
  return body.length === 0 ? kept : [...kept, 'Content-Length', String(body.length)]
}

function newRequest({ web }: ReplayParts, request: NewRequest & PublicPlace, to: Destination): UpstreamRequest {
  const { method, fields, body, scheme, host } = request
  const port = (scheme === 'https' ? web.https : web.http) ?? 80
  const from = { remote: '127.0.0.1', scheme, host, port, hops: 0, prefix: to.prefix }
  const lines = requestHeaders(fields, method, from, 'keep-alive')
  const hasBody = framingOf(fields) !== 'none' && body.length > 0
  if (to.protocol === 'h2c')
    return { protocol: 'h2c', method, path: to.path, fields: lines, hasBody, repeatable: false }
  const text = headLines(`${method} ${to.path} HTTP/1.1`, lines)
  return { protocol: 'http/1.1', head: text, bodyless: method === 'HEAD', hasBody, fresh: true, upgrade: false }
}

interface Send {
  readonly to: Destination
  readonly request: UpstreamRequest
  readonly body: Buffer
  readonly recording: Recording
}

/** Sends a request, and resolves when the response is complete, or the head of one without an end. */
function send(sender: Sender, { to, request, body, recording }: Send, limit: AbortSignal): Promise<void> {
  return new Promise(resolve => {
    let exchange: Exchange | undefined
    let isSent = false
    const upload = (): void => {
      if (!request.hasBody || exchange === undefined || !isSent) return
      isSent = false
      exchange.write(body)
      exchange.finish()
    }
    const stop = (error: string | undefined): void => {
      exchange?.abort()
      recording.end(error)
      resolve()
    }
    const receiver: Receiver = {
      wire: false,
      sent() {
        isSent = true
        upload()
      },
      interim: () => undefined,
      head: ({ fields }) => {
        if (/^content-type:[ \t]*text\/event-stream/im.test(fields)) setImmediate(() => stop('stopped: it has no end'))
      },
      body: () => undefined,
      end: () => resolve(),
      flush: () => true,
      failed: failure => stop('detail' in failure ? failure.detail : 'the connection was refused'),
    }
    limit.addEventListener('abort', () => stop(`no response within ${maxMs / 1000} s`), { once: true })
    exchange = sender.send(to.address, request, receiver)
    upload()
  })
}

function notReplayable(fault: string, { requestBody }: Entry): LocaldError {
  const hint =
    requestBody?.loss === 'not recorded'
      ? 'Open the requests page, or run `locald requests -f`, and send it again: bodies are kept while someone looks. Or give a body of your own with `-d`.'
      : 'Give a body of your own with `-d`, or send the request again from its client.'
  return new LocaldError('REPLAY_FAILED', `the request cannot be replayed: ${fault}`, { hint })
}
