import type { RawHeaders } from '../../message/headers.ts'
import type { BodyView, ExchangeDetail, ExchangeKind, ExchangeView, FrameView, HeaderView } from '../../provides.ts'
import type { Body, Loss } from '../body.ts'
import type { Entry } from '../entry.ts'
import type { Frame } from '../frames.ts'
import { type Decoded, decode, removeChunks, textOf } from './decode.ts'
import { requestField, requestFields, responseField, responseFields } from './heads.ts'
import type { Masker } from './mask.ts'
import { pagesOf } from './pages.ts'

/** What views need besides an entry. */
export interface ViewParts {
  idOf(entry: Entry): string
  masker(entry: Entry): Masker
}

/** Returns rows of some of the entries; all of them are needed to know the pages. */
export function rowsOf(wanted: readonly Entry[], all: readonly Entry[], parts: ViewParts): ExchangeView[] {
  const pages = pagesOf(all)
  return wanted.map(entry => {
    const page = pages.get(entry)
    return rowOf(entry, page === undefined ? null : parts.idOf(page), parts)
  })
}

function rowOf(entry: Entry, page: string | null, parts: ViewParts): ExchangeView {
  const { head, response, since, headAt, endAt } = entry
  return {
    id: parts.idOf(entry),
    time: new Date(performance.timeOrigin + since).toISOString(),
    method: head.method,
    host: head.host,
    path: parts.masker(entry).path(head.path),
    status: response?.status ?? null,
    service: entry.sent?.to.key ?? entry.key ?? null,
    durationMs: entry.isOver ? round(endAt - since) : null,
    requestBytes: (entry.requestBody?.size ?? 0) + entry.requestBytes,
    responseBytes: entry.responseBytes || (entry.responseBody?.size ?? 0),
    scheme: head.scheme,
    httpVersion: head.version,
    kind: kindOf(entry),
    answeredBy: entry.answeredBy,
    error: entry.error ?? null,
    firstByteMs: headAt > 0 ? round(headAt - since) : null,
    type: responseField(entry, 'content-type') ?? null,
    page,
    replayOf: entry.replayOf ?? null,
  }
}

function round(ms: number): number {
  return Math.round(ms * 100) / 100
}

function kindOf(entry: Entry): ExchangeKind {
  if (entry.isUpgraded) return 'websocket'
  return responseField(entry, 'content-type')?.startsWith('text/event-stream') === true ? 'sse' : 'http'
}

/** Returns the code and reason of a close frame. */
function closeText(data: Buffer): string {
  return data.length < 2 ? '' : `${data.readUInt16BE(0)} ${data.toString('utf8', 2)}`.trim()
}

/** What the details of an entry need besides it. */
export interface DetailParts {
  readonly row: ExchangeView
  readonly masker: Masker
  readonly isMasked: boolean
  /** Whether its bodies are shown. */
  readonly hasRoom: boolean
}

/** Returns an entry with all that was kept of it. */
export async function detailOf(entry: Entry, { row, masker, isMasked, hasRoom }: DetailParts): Promise<ExchangeDetail> {
  const type = requestField(entry, 'content-type') ?? null
  const encoding = requestField(entry, 'content-encoding')
  const [requestBody, responseBody] = await Promise.all([
    bodyView(entry.requestBody, 0, { type, encoding, masker, hasRoom, isChunked: isChunked(entry) }),
    bodyView(entry.responseBody, entry.responseBytes, {
      ...{ type: row.type, encoding: responseField(entry, 'content-encoding'), masker, hasRoom },
      isChunked: false,
    }),
  ])
  return {
    ...row,
    reason: entry.response?.reason ?? '',
    requestHeaders: headerViews(requestFields(entry), masker),
    responseHeaders: headerViews(responseFields(entry), masker),
    requestBody,
    responseBody: entry.frames === undefined ? responseBody : { ...responseBody, note: null },
    frames: (entry.frames?.list ?? []).map(frame => frameView(frame, masker)),
    framesLost: entry.frames?.lost ?? 0,
    isMasked,
    cannotReplay: whyNoReplay(entry) ?? null,
  }
}

/** Returns why an entry cannot be sent again as it was; undefined where it can. */
export function whyNoReplay({ sent, isUpgraded, requestBody }: Entry): string | undefined {
  if (isUpgraded) return 'a WebSocket cannot be replayed'
  if (sent === undefined) return 'no service received it'
  if (requestBody?.loss !== undefined) return `its body was not kept: ${reasons[requestBody.loss]}`
  return undefined
}

/** Whether the body of a request was sent, and so kept, in chunks. */
export function isChunked({ sent }: Entry): boolean {
  return sent?.request.protocol === 'http/1.1' && /\r\ntransfer-encoding:/i.test(sent.request.head)
}

function headerViews(fields: RawHeaders, masker: Masker): HeaderView[] {
  const views: HeaderView[] = []
  for (let i = 0; i + 1 < fields.length; i += 2) {
    const [name, value] = [fields[i] ?? '', utf8(fields[i + 1] ?? '')]
    const shown = masker.header(name, value)
    views.push({ name, value: shown, isMasked: shown !== value })
  }
  return views
}

/** Reads a value of one character for each byte as UTF-8, where it is that. */
function utf8(value: string): string {
  return textOf(Buffer.from(value, 'latin1')) ?? value
}

const reasons: Readonly<Record<Loss, string>> = {
  'not recorded': 'no one looked at requests when it passed',
  'too large': 'larger than 1 MB',
  'no room': 'the memory for recorded bodies was full',
  evicted: 'deleted to make room for later ones',
}

const hiddenNote = 'Not text, and with secrets in it: shown only with secrets.'

interface BodyFacts {
  readonly type: string | null
  readonly encoding: string | undefined
  readonly masker: Masker
  readonly hasRoom: boolean
  readonly isChunked: boolean
}

async function bodyView(body: Body | undefined, counted: number, facts: BodyFacts): Promise<BodyView> {
  const { type, encoding, masker, hasRoom } = facts
  const bytes = body?.size ?? counted
  const none = { bytes, type, decodedFrom: null, text: null, base64: null }
  if (bytes === 0) return { ...none, note: null }
  if (!hasRoom) return { ...none, note: 'Left out: too many large bodies at once. Show this request alone.' }
  const kept = await body?.read()
  if (kept === undefined) return { ...none, note: `Not kept: ${reasons[body?.loss ?? 'not recorded']}.` }
  const content = facts.isChunked ? removeChunks(kept) : kept
  const decoded: Decoded = decode(content, encoding)
  // What cannot be read cannot be masked.
  if ('fault' in decoded) return { ...none, note: `The body ${decoded.fault}.` }
  const text = textOf(decoded.bytes)
  if (text === undefined && masker.finds(decoded.bytes)) return { ...none, note: hiddenNote }
  return {
    ...{ bytes, type, decodedFrom: decoded.from, note: null },
    text: text === undefined ? null : masker.text(text),
    base64: text === undefined ? decoded.bytes.toString('base64') : null,
  }
}

function frameView({ time, from, type, size, data, note }: Frame, masker: Masker): FrameView {
  const base = { time: new Date(time).toISOString(), from, type, bytes: size, text: null, base64: null, note }
  if (data === undefined) return base
  const text = type === 'binary' ? undefined : type === 'close' ? closeText(data) : textOf(data)
  if (text !== undefined) return { ...base, text: masker.text(text) }
  return masker.finds(data) ? { ...base, note: hiddenNote } : { ...base, base64: data.toString('base64') }
}
