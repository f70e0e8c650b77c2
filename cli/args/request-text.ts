import { isUtf8 } from 'node:buffer'
import { LocaldError } from '../../kernel/errors.ts'
import type { ExchangeDetail, ReplayBody } from '../../plugins/proxy/provides.ts'

/** A header of a request. */
type Header = { readonly name: string; readonly value: string }

/** Reads `Name: value`. Throws USAGE. */
export function parseHeader(text: string): Header {
  const [, name, value = ''] = /^([^:\s]+):[ \t]*(.*)$/.exec(text) ?? []
  if (name !== undefined) return { name, value }
  throw new LocaldError('USAGE', `'${text}' is not a header`, { hint: "Use for example 'Accept: text/html'." })
}

/** Returns a request as a text to edit: method and path, headers, an empty line, and the body if it is a text. */
export function textOf({ method, path, requestHeaders, requestBody }: ExchangeDetail): string {
  return `${method} ${path}\n${headerLines(requestHeaders)}\n${requestBody.text ?? ''}`
}

function headerLines(headers: readonly Header[]): string {
  return headers.map(({ name, value }) => `${name}: ${value}\n`).join('')
}

/**
 * Returns what an edited text changes. What is as before is left out: then the recorded bytes are sent, which may be no
 * text. Throws USAGE.
 */
export function parseRequest(bytes: Buffer, detail: ExchangeDetail): ReplayBody {
  const { head, body } = splitText(bytes)
  if (head.trim() === '') throw new LocaldError('USAGE', 'the text is empty: nothing was sent')
  const [first = '', ...lines] = head.split(/\r?\n/)
  const [, method, path] = /^([A-Z]+) (\S+)$/.exec(first.trim()) ?? []
  if (method === undefined || path === undefined)
    throw new LocaldError('USAGE', `'${first}' is not a method and a path`, {
      hint: 'Use a first line such as POST /.',
    })
  const headers = lines.map(parseHeader)
  return {
    ...(method === detail.method ? {} : { method }),
    ...(path === detail.path ? {} : { path }),
    ...(headerLines(headers) === headerLines(detail.requestHeaders) ? {} : { headers }),
    ...bodyChange(body, detail.requestBody.text ?? ''),
  }
}

/** Splits at the first empty line. */
function splitText(bytes: Buffer): { readonly head: string; readonly body: Buffer } {
  // One character for each byte.
  const [end] = /\r?\n\r?\n/.exec(bytes.toString('latin1')) ?? []
  const at = end === undefined ? -1 : bytes.indexOf(end)
  if (end === undefined) return { head: bytes.toString().trimEnd(), body: Buffer.alloc(0) }
  return { head: bytes.toString('utf8', 0, at), body: bytes.subarray(at + end.length) }
}

function bodyChange(body: Buffer, before: string): ReplayBody {
  // Editors end a file with a newline.
  const sent = body.at(-1) === 10 && !before.endsWith('\n') ? withoutLast(body) : body
  if (sent.equals(Buffer.from(before)) || body.equals(Buffer.from(before))) return {}
  return isUtf8(sent) ? { body: sent.toString() } : { body: sent.toString('base64'), base64: true }
}

function withoutLast(body: Buffer): Buffer {
  return body.subarray(0, body.at(-2) === 13 ? -2 : -1)
}
