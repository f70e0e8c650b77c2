import { lf, more } from './bytes.ts'
import { trim } from './headers.ts'
import { type HeadFault, type ResponseHead, readResponse } from './response-head.ts'

/**
 * Reads a response's head as `readResponse` does, and also one that violates the grammar in a way that nginx, haproxy
 * and browsers accept, once its lines are corrected: separated by LF only, folded, a Content-Length twice or beside a
 * Transfer-Encoding, a list of codings with nothing but `chunked`. The connection of such a service is not reused.
 * `docs/networking.md` has the reasons.
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
  const lines = withFraming(unfoldLines(buffer.toString('latin1', 0, end).split(/\r?\n/).slice(0, -2)))
  const head = readResponse(Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'), bodyless)
  if (typeof head === 'object') return { ...head, keep: false, end }
  return head === 'coding' ? head : strict
}

function startsLikeHttp(buffer: Buffer, size: number): boolean {
  return /^HTTP\/1\.[01] \d{3}[ \r\n]/.test(buffer.toString('latin1', 0, Math.min(size, 13)))
}

/** Returns the offset after the empty line; -1 where there is none yet. */
function endOf(buffer: Buffer, size: number): number {
  for (let at = buffer.indexOf(lf); at !== -1 && at < size - 1; at = buffer.indexOf(lf, at + 1)) {
    if (buffer[at + 1] === lf) return at + 2
    if (at + 2 < size && buffer[at + 1] === 13 && buffer[at + 2] === lf) return at + 3
  }
  return -1
}

/** Joins folded lines with a space (RFC 9112 section 5.2). */
function unfoldLines(lines: readonly string[]): string[] {
  const out: string[] = []
  for (const line of lines) {
    const last = out.length - 1
    if (last > 0 && (line.startsWith(' ') || line.startsWith('\t'))) out[last] = `${out[last]} ${trim(line)}`
    else out.push(line)
  }
  return out
}

/** Reduces the framing to one field (RFC 9112 section 6.3): chunked overrides a length, equal lengths are one. */
function withFraming(lines: readonly string[]): string[] {
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
    .map(value => trim(value).toLowerCase())
    .filter(value => value !== '')
}

function isField(line: string, name: string): boolean {
  return line[name.length] === ':' && line.slice(0, name.length).toLowerCase() === name
}
