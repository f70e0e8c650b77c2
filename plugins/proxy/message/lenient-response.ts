import { lf, more } from './bytes.ts'
import { trimmed } from './headers.ts'
import { type HeadFault, type ResponseHead, readResponse } from './response-head.ts'

/**
 * Reads a response's head as `readResponse` does, and one that is not strict, but that nginx, haproxy and browsers read, once its
 * lines are put right: ended by LF only, folded, a Content-Length twice or beside a Transfer-Encoding, a list of codings with
 * nothing but `chunked` in it. The connection of such a service is not used again. `docs/networking.md` has the reasons.
 */
export function readAnyResponse(
  buffer: Buffer,
  bodyless: boolean,
  size = buffer.length,
): ResponseHead | HeadFault | typeof more {
  const strict = readResponse(buffer, bodyless, size)
  if ((strict !== 'faulty' && strict !== 'coding') || !startsLikeHttp(buffer, size)) return strict
  const end = endOf(buffer, size)
  if (end === -1) return more
  const lines = framed(unfolded(buffer.toString('latin1', 0, end).split(/\r?\n/).slice(0, -2)))
  const head = readResponse(Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'), bodyless)
  if (typeof head === 'object') return { ...head, keep: false, end }
  return head === 'coding' ? head : strict
}

function startsLikeHttp(buffer: Buffer, size: number): boolean {
  return /^HTTP\/1\.[01] \d{3}[ \r\n]/.test(buffer.toString('latin1', 0, Math.min(size, 13)))
}

/** Where the empty line ends; -1 where there is none yet. */
function endOf(buffer: Buffer, size: number): number {
  for (let at = buffer.indexOf(lf); at !== -1 && at < size - 1; at = buffer.indexOf(lf, at + 1)) {
    if (buffer[at + 1] === lf) return at + 2
    if (at + 2 < size && buffer[at + 1] === 13 && buffer[at + 2] === lf) return at + 3
  }
  return -1
}

/** RFC 9112 section 5.2: a line that goes on is one line, with a space where it was broken. */
function unfolded(lines: readonly string[]): string[] {
  const out: string[] = []
  for (const line of lines) {
    const last = out.length - 1
    if (last > 0 && (line.startsWith(' ') || line.startsWith('\t'))) out[last] = `${out[last]} ${trimmed(line)}`
    else out.push(line)
  }
  return out
}

/** What says how long the body is, said once (RFC 9112 section 6.3): chunks before a length, equal lengths are one. */
function framed(lines: readonly string[]): string[] {
  const codings = valuesIn(lines, 'transfer-encoding')
  const lengths = new Set(valuesIn(lines, 'content-length'))
  const chunked = codings.length === 1 && codings[0] === 'chunked'
  const once = lengths.size === 1 && codings.length === 0
  if (!chunked && !once) return [...lines]
  const others = lines.filter(line => !isField(line, 'transfer-encoding') && !isField(line, 'content-length'))
  return [...others, chunked ? 'Transfer-Encoding: chunked' : `Content-Length: ${[...lengths][0]}`]
}

function valuesIn(lines: readonly string[], name: string): string[] {
  return lines
    .filter(line => isField(line, name))
    .flatMap(line => line.slice(name.length + 1).split(','))
    .map(value => trimmed(value).toLowerCase())
    .filter(value => value !== '')
}

function isField(line: string, name: string): boolean {
  return line[name.length] === ':' && line.slice(0, name.length).toLowerCase() === name
}
