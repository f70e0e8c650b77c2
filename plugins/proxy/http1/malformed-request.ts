import type { IncomingMessage } from 'node:http'
import { framingOf } from '../message/headers.ts'
import * as refusal from '../pages/errors.ts'
import type { Answer } from '../pages/responses.ts'

/** What Node's parser lets pass in a request that may not be passed on. */
export function misframed(req: IncomingMessage): Answer | undefined {
  if (req.httpVersion !== '1.1' && req.httpVersion !== '1.0') return refusal.httpVersion(req.httpVersion)
  const framing = framingOf(req.rawHeaders)
  if (framing === 'unknown') return refusal.unknownCoding()
  // RFC 9112 section 6.1: such framing is faulty.
  return framing === 'chunked' && req.httpVersion === '1.0' ? refusal.badRequest('chunked in HTTP/1.0') : undefined
}

/** Status and reason for bytes that Node's parser has refused, by its code and message. */
export function unreadable(code: string, message: string, mostHead: number): readonly [status: number, why: string] {
  if (code === 'HPE_HEADER_OVERFLOW') return [431, `a head of more than ${mostHead} bytes`]
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return [408, 'a head that took too long']
  // Of the same code is a version that is none, such as HTTP/x.1.
  if (code === 'HPE_INVALID_VERSION' && message.endsWith('Invalid HTTP version'))
    return [505, 'a version of HTTP that is not spoken here']
  return [400, message]
}
