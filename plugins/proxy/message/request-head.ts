import { Fields, faulty, isWord, more, slash, space, targetByte } from './bytes.ts'
import { isProxyHeader } from './headers.ts'
import { ownCookieMark } from './own-cookies.ts'

/** What a browser's EventSource accepts (HTML, server-sent events). */
export const eventStream = 'text/event-stream'

/**
 * A request of the narrow grammar: GET or HEAD of a path, HTTP/1.1, one Host, no body, and no Connection option but
 * keep-alive or close.
 */
export interface NarrowRequest {
  readonly head: boolean
  /** Path and query. */
  readonly path: string
  /** The Host field's value. */
  readonly host: string
  /** The fields to forward, CR LF after each, with order, case and duplicates. */
  readonly fields: string
  readonly close: boolean
  /** Whether it may be for an event stream. */
  readonly forEvents: boolean
  /** The whole head, a character for each byte. */
  readonly text: string
  /** The offset after the head. */
  readonly end: number
}

const maxFields = 128
const fields = new Fields(maxFields)
const version = ' HTTP/1.1\r\n'
const getLine = 'GET '
const headLine = 'HEAD '

// By length, so that most fields need no comparison of letters. `undefined` where no word has the length.
const excluded: readonly (readonly string[] | undefined)[] = byLength([
  'te',
  'expect',
  'trailer',
  'upgrade',
  'content-length',
  'http2-settings',
  'transfer-encoding',
  'x-locald-progress',
])

const letters = { f: 102, p: 112, x: 120 }

/**
 * Reads a request from the buffer's first `size` bytes. Returns `more` when its head is incomplete, `faulty` when it is
 * not of the narrow grammar, which does not mean that it is invalid.
 */
export function readRequest(buffer: Buffer, size = buffer.length): NarrowRequest | typeof more | typeof faulty {
  const isHead = buffer[0] === 72
  const method = isHead ? headLine : getLine
  if (size < method.length + version.length + 1) return more
  if (!isExactly(buffer, 0, method)) return faulty
  const start = method.length
  if (buffer[start] !== slash) return faulty
  let at = start
  while (at < size && targetByte[buffer[at] ?? 0] === 1) at++
  if (at + version.length > size) return at < size && buffer[at] !== space ? faulty : more
  if (!isExactly(buffer, at, version)) return faulty
  const first = at + version.length
  if (size - first === last.tail.length) {
    const text = buffer.toString('latin1', 0, size)
    if (text.slice(first) === last.tail) return requestOf(isHead, text.slice(start, at), last, text)
  }
  const end = fields.read(buffer, first, size)
  if (end < 0) return end === more ? more : faulty
  const text = buffer.toString('latin1', 0, end)
  const read = fieldsOf(buffer, text, first, end)
  if (read === faulty) return faulty
  last = read
  return requestOf(isHead, text.slice(start, at), read, text)
}

function requestOf(head: boolean, path: string, tail: Tail, text: string): NarrowRequest {
  const { host, fields: kept, close, forEvents } = tail
  return { head, path, host, fields: kept, close, forEvents, text, end: text.length }
}

interface Tail extends Pick<NarrowRequest, 'host' | 'fields' | 'close' | 'forEvents'> {
  readonly tail: string
}

/** Caches the fields of the last request: clients repeat them unchanged. */
let last: Tail = { tail: '', host: '', fields: '', close: false, forEvents: false }

function fieldsOf(buffer: Buffer, text: string, first: number, end: number): Tail | typeof faulty {
  const { marks, count } = fields
  let host: string | undefined
  let connection = false
  let close = false
  let kept = ''
  // The first line that was not copied yet.
  let from = first
  for (let i = 0; i < count * 5; i += 5) {
    const name = marks[i] ?? 0
    const length = (marks[i + 1] ?? 0) - name
    if (length === 4 && isWord(buffer, name, 'host')) {
      if (host !== undefined) return faulty
      host = text.slice(marks[i + 2], marks[i + 3])
      continue
    }
    const isConnection = length === 10 && isWord(buffer, name, 'connection')
    if (isConnection) {
      const value = text.slice(marks[i + 2], marks[i + 3]).toLowerCase()
      if (connection || (value !== 'keep-alive' && value !== 'close')) return faulty
      connection = true
      close = value === 'close'
    }
    if (isConnection || (length === 10 && isWord(buffer, name, 'keep-alive'))) {
      kept += text.slice(from, name)
      from = marks[i + 4] ?? end
    } else if (isExcluded(buffer, name, length)) return faulty
  }
  if (host === undefined) return faulty
  kept += text.slice(from, end - 2)
  if (kept.includes(ownCookieMark)) return faulty
  return { tail: text.slice(first), host, fields: kept, close, forEvents: kept.includes(eventStream) }
}

function isExcluded(buffer: Buffer, at: number, length: number): boolean {
  const words = excluded[length]
  if (words !== undefined) for (const word of words) if (isWord(buffer, at, word)) return true
  if (length < 7) return false
  const first = (buffer[at] ?? 0) | 0x20
  if (first === letters.p) return isWord(buffer, at, 'proxy-')
  // Few names begin like this, so a string may be created.
  return (
    (first === letters.x || first === letters.f) &&
    isProxyHeader(buffer.toString('latin1', at, at + length).toLowerCase())
  )
}

function isExactly(buffer: Buffer, at: number, word: string): boolean {
  for (let i = 0; i < word.length; i++) if (buffer[at + i] !== word.charCodeAt(i)) return false
  return true
}

function byLength(words: readonly string[]): (readonly string[] | undefined)[] {
  const table: string[][] = []
  for (const word of words) {
    const list = table[word.length]
    if (list === undefined) table[word.length] = [word]
    else list.push(word)
  }
  return table
}
