import { decimalOf, Fields, faulty, isWord, more, space, valueByte } from './bytes.ts'
import { trim } from './headers.ts'

/** How the body of a response is framed. */
export type Ending =
  | { readonly by: 'nothing' }
  | { readonly by: 'length'; readonly length: number }
  | { readonly by: 'chunks' }
  | { readonly by: 'close' }

/** A response's head, without hop-by-hop fields. */
export interface ResponseHead {
  readonly status: number
  readonly reason: string
  /** The fields to forward, CR LF after each; without Transfer-Encoding. */
  readonly fields: string
  readonly ending: Ending
  /** Whether the connection may be reused. */
  readonly keep: boolean
  /** The protocol it switches to. */
  readonly upgrade: string | undefined
  /** Names of announced trailers, unchanged. */
  readonly trailer: string | undefined
  /** The offset after the head. */
  readonly end: number
}

/** Why a head is invalid. */
export type HeadFault = 'faulty' | 'coding'

// At least as many as the largest head may have.
const fields = new Fields(16 * 1024)
const nothing: Ending = { by: 'nothing' }
const chunks: Ending = { by: 'chunks' }
const closing: Ending = { by: 'close' }

/**
 * Reads a response's head from the buffer's first `size` bytes; `bodyless` for one to a HEAD request. Returns `more`
 * when incomplete.
 */
export function readResponse(
  buffer: Buffer,
  bodyless: boolean,
  size = buffer.length,
): ResponseHead | HeadFault | typeof more {
  if (size < 15) return isStart(buffer, size) ? more : 'faulty'
  if (!isStart(buffer, 8)) return 'faulty'
  const status = decimalOf(buffer, 9, 12)
  if (buffer[8] !== space || status < 100) return 'faulty'
  let at = 12
  while (at < size && valueByte[buffer[at] ?? 0] === 1) at++
  if (at > 12 && buffer[12] !== space) return 'faulty'
  if (at + 1 >= size) return at < size && buffer[at] !== 13 ? 'faulty' : more
  if (buffer[at] !== 13 || buffer[at + 1] !== 10) return 'faulty'
  const end = fields.read(buffer, at + 2, size)
  if (end === more) return more
  if (end === faulty) return 'faulty'
  return responseOf(buffer, { status, reasonEnd: at, end, bodyless })
}

interface HeadLayout {
  readonly status: number
  readonly reasonEnd: number
  readonly end: number
  readonly bodyless: boolean
}

// One pass: kept fields are copied in runs of whole lines.
function responseOf(buffer: Buffer, { status, reasonEnd, end, bodyless }: HeadLayout): ResponseHead | HeadFault {
  const text = buffer.toString('latin1', 0, end)
  const old = buffer[7] === 48
  const { marks, count } = fields
  let length = -1
  let coding: string | undefined
  let connection = ''
  let upgrade: string | undefined
  let trailer: string | undefined
  let kept = ''
  let from = reasonEnd + 2
  for (let i = 0; i < count * 5; i += 5) {
    const name = marks[i] ?? 0
    const special = specialOf(buffer, name, (marks[i + 1] ?? 0) - name)
    if (special === '') continue
    const [start, stop] = [marks[i + 2] ?? 0, marks[i + 3] ?? 0]
    // Not every parser accepts a tab around the value of a framing field.
    const frames = special === 'content-length' || special === 'transfer-encoding'
    if (frames && buffer.subarray(marks[i + 1], marks[i + 4]).includes(9)) return 'faulty'
    if (special === 'content-length') {
      const value = decimalOf(buffer, start, stop)
      if (value < 0 || length >= 0) return 'faulty'
      length = value
      if (status !== 204) continue
    } else if (special === 'transfer-encoding') {
      coding = coding === undefined ? text.slice(start, stop).toLowerCase() : 'several'
    } else if (special === 'connection') connection += `${text.slice(start, stop).toLowerCase()},`
    else if (special === 'upgrade') upgrade = text.slice(start, stop)
    else if (special === 'trailer')
      trailer = trailer === undefined ? text.slice(start, stop) : `${trailer}, ${text.slice(start, stop)}`
    kept += text.slice(from, name)
    from = marks[i + 4] ?? end
  }
  kept += text.slice(from, end - 2)
  if (coding !== undefined && (length >= 0 || old)) return 'faulty'
  // An interim response has no body, but some parsers expect one after a length.
  if (status < 200 && (length > 0 || coding !== undefined)) return 'faulty'
  if (coding !== undefined && coding !== 'chunked') return 'coding'
  const [keepAlive, close, listed] = connectionOf(connection)
  const empty = bodyless || status < 200 || status === 204 || status === 304
  const ending = empty
    ? nothing
    : coding !== undefined
      ? chunks
      : length >= 0
        ? { by: 'length' as const, length }
        : closing
  const keep = ending !== closing && !close && (!old || keepAlive)
  // An interim response that closes the connection can have no final one after it.
  if (status < 200 && status !== 101 && !keep) return 'faulty'
  return {
    status,
    reason: text.slice(13, reasonEnd),
    fields: listed === undefined ? kept : removeFields(kept, listed),
    ending,
    keep,
    upgrade,
    trailer,
    end,
  }
}

/** Returns the lower-case name of a field about the connection or the framing; empty for all others. */
function specialOf(buffer: Buffer, at: number, length: number): string {
  switch (length) {
    case 2:
      return isWord(buffer, at, 'te') ? 'te' : ''
    case 7:
      return isWord(buffer, at, 'upgrade') ? 'upgrade' : isWord(buffer, at, 'trailer') ? 'trailer' : ''
    case 10:
      return isWord(buffer, at, 'connection') ? 'connection' : isWord(buffer, at, 'keep-alive') ? 'keep-alive' : ''
    case 14:
      return isWord(buffer, at, 'content-length') ? 'content-length' : isWord(buffer, at, 'http2-settings') ? 'te' : ''
    case 17:
      return isWord(buffer, at, 'transfer-encoding') ? 'transfer-encoding' : ''
  }
  return length > 6 && isWord(buffer, at, 'proxy-') ? 'proxy' : ''
}

/** Returns whether the Connection fields have keep-alive, whether close, and the other names in them. */
function connectionOf(connection: string): readonly [boolean, boolean, ReadonlySet<string> | undefined] {
  if (connection === '') return [false, false, undefined]
  if (connection === 'keep-alive,') return [true, false, undefined]
  if (connection === 'close,') return [false, true, undefined]
  const names = connection.split(',').map(trim)
  const listed = names.filter(name => !['', 'keep-alive', 'close', 'host', 'content-length', 'trailer'].includes(name))
  return [names.includes('keep-alive'), names.includes('close'), listed.length === 0 ? undefined : new Set(listed)]
}

function removeFields(kept: string, listed: ReadonlySet<string>): string {
  const lines = kept.split('\r\n').filter(line => !listed.has(line.slice(0, line.indexOf(':')).toLowerCase()))
  return lines.join('\r\n')
}

const versions = ['HTTP/1.1', 'HTTP/1.0']

function isStart(buffer: Buffer, length: number): boolean {
  const text = buffer.toString('latin1', 0, Math.min(length, 8))
  return versions.some(version => version.startsWith(text))
}
